"""The top floor: assembles stages, chooses where they run, and talks to the user."""
