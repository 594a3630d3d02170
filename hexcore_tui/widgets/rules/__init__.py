"""Parts of the rules screen."""
