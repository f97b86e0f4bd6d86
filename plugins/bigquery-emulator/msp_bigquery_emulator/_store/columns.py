"""Columns of tables, as SQL that makes and changes them."""

from __future__ import annotations

from msp_bigquery_emulator._errors import invalid, make_unsupported
from msp_bigquery_emulator._store.defaults import default_sql
from msp_bigquery_emulator._store.fields import Field
from msp_bigquery_emulator._store.storage import duckdb_type, quote


def columns_sql(fields: tuple[Field, ...]) -> str:
    """Return the columns of CREATE TABLE."""
    # DuckDB has no table without columns; nobody reads this one.
    return ", ".join(column_sql(field) for field in fields) or '"msp$none" INTEGER'


def column_sql(field: Field) -> str:
    """Return the definition of a column."""
    required = " NOT NULL" if field.mode == "REQUIRED" else ""
    default = f" DEFAULT {default_sql(field.default)}" if field.default else ""
    return f"{quote(field.name)} {duckdb_type(field)}{default}{required}{_check_length(field)}"


def _check_length(field: Field) -> str:
    if field.length is None or field.repeated:
        return ""
    count = "octet_length" if field.type == "BYTES" else "length"
    return f" CHECK ({count}({quote(field.name)}) <= {field.length})"


def changes_sql(old: Field, new: Field, table: str) -> list[str]:
    """Return what follows ALTER TABLE to make a column what it shall be."""
    column = f"ALTER COLUMN {quote(old.name)}"
    relaxed = old.mode == "REQUIRED" and new.mode == "NULLABLE"
    if new.type != old.type or (new.mode != old.mode and not relaxed):
        raise invalid(
            f"Provided Schema does not match Table {table}. Field {old.name} has changed "
            f"from {old.mode} {old.type} to {new.mode} {new.type}"
        )
    changes = [f"{column} DROP NOT NULL"] if relaxed else []
    if duckdb_type(new) != duckdb_type(old):
        changes.append(f"{column} SET DATA TYPE {duckdb_type(new)}")
    if new.default != old.default:
        default = f"SET DEFAULT {default_sql(new.default)}" if new.default else "DROP DEFAULT"
        changes.append(f"{column} {default}")
    if new.length != old.length:
        raise make_unsupported(f"a change of the length of column {old.name}")
    return changes
