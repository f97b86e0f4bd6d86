"""Rows: from a service's values to what BigQuery takes."""
