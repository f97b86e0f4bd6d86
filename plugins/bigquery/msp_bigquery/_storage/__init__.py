"""The Storage Write API: streams, and rows as protocol buffers."""
