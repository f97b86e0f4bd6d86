"""What a service does, as spans and as fields of log lines."""
