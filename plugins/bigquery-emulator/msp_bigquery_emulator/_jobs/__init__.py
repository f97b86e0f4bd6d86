"""Jobs: queries, loads and inserts, and what became of them."""
