"""The life of a process: what starts, what runs, and how all of it is stopped in order."""
