"""The ground floor: what the data is and what each column becomes, as plain values and types."""
