"""Text: for people, how wide it is, its colours, its tables; for machines, records as JSON."""
