"""The terminal app: screens, widgets, and the one bridge to the engine."""
