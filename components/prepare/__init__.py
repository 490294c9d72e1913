"""Which rows become examples: conditions, required columns, duplicates, outliers, samples."""
