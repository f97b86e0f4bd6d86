"""Features of the example; imported by its `service` and `jobs` packages only."""
