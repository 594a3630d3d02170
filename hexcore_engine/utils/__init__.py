"""Small helpers that take values, never settings: logging, memory, validation."""
