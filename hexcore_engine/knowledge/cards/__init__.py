"""Cards: records, names, reading them back."""
