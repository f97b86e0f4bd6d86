"""What is seen of the work with a database: spans, metrics and lines of queries."""
