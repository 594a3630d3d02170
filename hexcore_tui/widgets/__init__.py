"""Parts of screens, one folder a screen."""
