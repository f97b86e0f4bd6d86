"""A process that starts: what the parts of it cost, and the garbage collector meanwhile."""
