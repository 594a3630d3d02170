"""Measurements of every number Hexcore promises, as ratios inside one run."""
