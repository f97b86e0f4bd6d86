"""Functions of GoogleSQL, as macros of DuckDB in SQL files: one family a file."""
