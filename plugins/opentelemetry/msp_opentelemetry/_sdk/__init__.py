"""OpenTelemetry's SDK: what is set up when the plugin opens."""
