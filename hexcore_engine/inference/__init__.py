"""From a question to a checked answer; read pipeline.py first."""
