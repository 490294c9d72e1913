"""Top floor: puts stages together, chooses where they run, talks to the person."""
