"""The life of a job: its work, its lock, and what is logged of it."""
