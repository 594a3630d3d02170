"""Keys and values of prompts already computed, kept to be used again."""
