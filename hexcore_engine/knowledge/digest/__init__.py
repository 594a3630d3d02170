"""Every rule in our own words, keyed by its number."""
