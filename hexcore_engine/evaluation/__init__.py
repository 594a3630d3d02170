"""Measuring what is found, against questions whose deciding rules are known."""
