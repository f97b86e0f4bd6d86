"""Exporters: how telemetry leaves the process, for a collector or for Google."""
