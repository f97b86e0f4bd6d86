"""The writers that a service holds, and what waits in them."""
