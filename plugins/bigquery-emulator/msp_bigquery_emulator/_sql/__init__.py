"""Queries: from BigQuery's SQL to DuckDB's."""
