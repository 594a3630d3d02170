"""Making the weights that ship with the package, from data of our own; a run card stands beside each."""
