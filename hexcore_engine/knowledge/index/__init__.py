"""Scored lists of rules, their fusion, and the learned ranker over them."""
