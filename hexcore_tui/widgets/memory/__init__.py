"""Parts of the memory screen."""
