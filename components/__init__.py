"""The middle floor: a folder for each stage, in the order of the data."""
