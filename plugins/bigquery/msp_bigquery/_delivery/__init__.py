"""How rows get to BigQuery: in order, again after a failure, and in time."""
