"""Models at hand, and the router that chooses a mode."""
