"""Raw source → Examples, typed, split and shuffled; rejected rows kept with their reasons."""
