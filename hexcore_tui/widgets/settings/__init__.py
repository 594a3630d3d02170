"""Parts of the settings screen."""
