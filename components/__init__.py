"""Middle floor: one stage of the data's way a folder, in the order the data takes."""
