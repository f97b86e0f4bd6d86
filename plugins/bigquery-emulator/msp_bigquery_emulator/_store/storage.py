"""How a field is stored: DuckDB's types, and the SQL that turns JSON rows into them.

Rows reach DuckDB as one JSON document, whatever way they came: one statement per batch is more
than twenty times faster than one per row, and it needs no Arrow. Inside that document a value has
the form that `values` gives it: timestamps are microseconds, bytes are base64, decimals are text.
"""

from __future__ import annotations

import json
from typing import Any, Final

from msp_bigquery_emulator._errors import make_unsupported
from msp_bigquery_emulator._store.fields import Field

_DUCKDB: Final = {
    "STRING": "VARCHAR",
    "BYTES": "BLOB",
    "INTEGER": "BIGINT",
    "FLOAT": "DOUBLE",
    "NUMERIC": "DECIMAL(38,9)",
    "BIGNUMERIC": "DECIMAL(38,18)",
    "BOOLEAN": "BOOLEAN",
    "TIMESTAMP": "TIMESTAMPTZ",
    "DATE": "DATE",
    "TIME": "TIME",
    "DATETIME": "TIMESTAMP",
    "JSON": "JSON",
}
_IN_JSON: Final = {"INTEGER": "BIGINT", "FLOAT": "DOUBLE", "BOOLEAN": "BOOLEAN"} | {
    "TIMESTAMP": "BIGINT"
}
_FROM_DUCKDB: Final = {
    "bigint": "INTEGER",
    "blob": "BYTES",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "double": "FLOAT",
    "enum": "STRING",
    "float": "FLOAT",
    "hugeint": "INTEGER",
    "integer": "INTEGER",
    "null": "INTEGER",  # the type BigQuery gives NULL
    "smallint": "INTEGER",
    "time": "TIME",
    "timestamp": "DATETIME",
    "timestamp with time zone": "TIMESTAMP",
    "tinyint": "INTEGER",
    "ubigint": "INTEGER",
    "uhugeint": "INTEGER",
    "uinteger": "INTEGER",
    "usmallint": "INTEGER",
    "utinyint": "INTEGER",
    "uuid": "STRING",
    "varchar": "STRING",
}
_NUMERIC_SCALE: Final = 9
_MOST_DIGITS: Final = 38  # of a decimal of DuckDB


def quote(name: str) -> str:
    """Return a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def duckdb_type(field: Field) -> str:
    """Return the DuckDB type that stores a field."""
    if field.repeated:
        return duckdb_type(field.element) + "[]"
    if field.type == "RECORD":
        members = (f"{quote(member.name)} {duckdb_type(member)}" for member in field.fields)
        return f"STRUCT({', '.join(members)})"
    if field.digits is not None and field.digits[0] <= _MOST_DIGITS:
        return f"DECIMAL({field.digits[0]},{field.digits[1]})"
    return _DUCKDB[field.type]


def from_json(document: str, fields: tuple[Field, ...]) -> str:
    """Return SQL for the struct, or list of structs, that a JSON document holds.

    Args:
        document: SQL of the text.
        fields: of the struct; a list of one gives a list.
    """
    return f"from_json_strict({document}, {literal(json.dumps(_structure_of(fields)))})"


def rows_sql(fields: tuple[Field, ...]) -> str:
    """Return a query of the rows in a JSON list, its text the first parameter."""
    structure = literal(json.dumps([_structure_of(fields)]))
    columns = ", ".join(
        f"{store_sql(field, f'r.{quote(field.name)}')} AS {quote(field.name)}" for field in fields
    )
    return f"SELECT {columns} FROM (SELECT unnest(from_json_strict(?, {structure})) AS r)"


def _structure_of(fields: tuple[Field, ...]) -> dict[str, Any]:
    return {field.name: _structure(field) for field in fields}


def _structure(field: Field) -> Any:  # noqa: ANN401 - nested JSON
    if field.repeated:
        return [_structure(field.element)]
    if field.type == "RECORD":
        return _structure_of(field.fields)
    return _IN_JSON.get(field.type, "VARCHAR")


def store_sql(field: Field, value: str, depth: int = 0) -> str:
    """Return SQL that turns what `from_json_strict` gives into what is stored.

    Args:
        field: of the value.
        value: SQL of it.
        depth: of lists around it, which keeps the names of their elements apart.
    """
    if field.repeated:
        element = f"e{depth}"
        inner = store_sql(field.element, element, depth + 1)
        list_ = value if inner == element else f"list_transform({value}, lambda {element}: {inner})"
        return f"coalesce({list_}, [])"
    if field.type == "RECORD":
        members = ", ".join(
            f"{quote(member.name)} := {store_sql(member, f'{value}.{quote(member.name)}', depth)}"
            for member in field.fields
        )
        return f"CASE WHEN {value} IS NULL THEN NULL ELSE struct_pack({members}) END"
    if field.type in ("STRING", "INTEGER", "FLOAT", "BOOLEAN"):
        return value
    if field.type == "BYTES":
        return f"from_base64({value})"
    if field.type == "TIMESTAMP":
        return f"make_timestamptz({value})"
    return f"CAST({value} AS {duckdb_type(field)})"


def result_field(name: str, kind: Any) -> Field:  # noqa: ANN401 - a DuckDBPyType
    """Return the field of a result's column.

    Raises:
        BigQueryError: BigQuery's REST API has no such type, or this emulator does not.
    """
    if kind.id in ("list", "array"):
        element = result_field(name, kind.children[0][1])
        return Field(name, element.type, "REPEATED", element.fields)
    if kind.id == "struct":
        members = tuple(result_field(member, child) for member, child in kind.children)
        return Field(name, "RECORD", "NULLABLE", members)
    if kind.id == "decimal":
        scale = dict(kind.children)["scale"]
        return Field(name, "NUMERIC" if scale <= _NUMERIC_SCALE else "BIGNUMERIC")
    if str(kind) == "JSON":
        return Field(name, "JSON")
    if kind.id not in _FROM_DUCKDB:
        raise make_unsupported(f"a result of type {kind} (column {name})")
    return Field(name, _FROM_DUCKDB[kind.id])
