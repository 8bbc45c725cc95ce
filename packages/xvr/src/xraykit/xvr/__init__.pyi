"""The public names for type checkers; `__init__.py` loads them lazily at run time."""
