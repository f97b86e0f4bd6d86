"""Migrations: files of SQL, and how a database is brought to where they describe it."""
