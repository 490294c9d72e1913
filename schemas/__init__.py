"""Ground floor: what the data is and what each column becomes; data and plain types only."""
