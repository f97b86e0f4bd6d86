"""Clauses: what in statements, aggregates and windows is written otherwise for DuckDB."""
