"""The HTML pages about a run, each one file that needs no other."""
