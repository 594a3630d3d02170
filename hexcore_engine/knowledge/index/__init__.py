"""Scored lists of rules, and their fusion."""
