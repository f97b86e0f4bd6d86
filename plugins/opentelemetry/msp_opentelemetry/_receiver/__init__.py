"""A receiver of telemetry for a laptop, which shows what arrived."""
