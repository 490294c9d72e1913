"""Raw source → Examples, typed, split and shuffled; rejected rows are kept with their reasons."""
