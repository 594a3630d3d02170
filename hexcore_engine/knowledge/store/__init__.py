"""Knowledge files on disk: generations of cards, rules releases, and the pointer that names the current
ones."""
