"""The Storage Write API over gRPC."""
