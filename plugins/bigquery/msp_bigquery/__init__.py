"""BigQuery for the Managed Services Platform runtime."""
