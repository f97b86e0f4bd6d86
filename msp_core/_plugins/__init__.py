"""Which plugins a service declares, found in the installed metadata, and their hooks."""
