"""Connections and pools of them, as psycopg makes them."""
