"""Parts of the sessions screen."""
