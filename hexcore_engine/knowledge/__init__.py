"""Rules, cards and our own words about them."""
