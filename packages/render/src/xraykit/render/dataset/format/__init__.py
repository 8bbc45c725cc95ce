"""How a data set lies on disk."""
