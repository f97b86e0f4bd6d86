"""What is kept: datasets, tables, rows, and the values in them."""
