"""Features of the example; imported by its `service` package only."""
