"""Text for people: how wide it is, its colours, its tables."""
