"""Health (skeleton)."""
