"""Examples + what each column becomes → transform graph + transformed Examples."""
