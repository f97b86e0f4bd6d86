"""A local BigQuery that Google's clients talk to over the real protocols."""
