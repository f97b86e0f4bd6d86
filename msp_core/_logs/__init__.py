"""What happens to a log record on its way to standard error."""
