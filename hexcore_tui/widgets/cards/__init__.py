"""Parts of the cards screen."""
