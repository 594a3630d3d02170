"""The card query language: a query is cut into tokens, put into a tree, compiled term by term, and run on the
columns of the cards file."""
