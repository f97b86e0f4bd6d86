"""Schema files: one table per `<table>.json`, a list of {name, type, mode, fields, description}."""

from __future__ import annotations

import json
from pathlib import Path

from msp_bigquery_emulator._errors import BigQueryError
from msp_bigquery_emulator._store.catalog import Catalog
from msp_bigquery_emulator._store.database import Database


class SchemaFileError(Exception):
    """A schema file that cannot be used; the text names it and says why."""


def apply_schemas(database: Database, catalog: Catalog, dataset: str, folder: Path | None) -> None:
    """Make a dataset, and a table for each schema file; columns that are new are added.

    Args:
        database: to make them in.
        catalog: of them.
        dataset: of the tables.
        folder: of the files; None, or a folder that is missing, for no tables.

    Raises:
        SchemaFileError: a file is no schema, or changes a table as BigQuery would not allow.
    """
    with database.write() as cursor:
        if catalog.find_dataset(cursor, dataset) is None:
            catalog.create_dataset(cursor, dataset, {})
    for path in sorted(folder.glob("*.json")) if folder else ():
        try:
            _apply(database, catalog, dataset, path)
        except (BigQueryError, OSError, ValueError) as error:
            raise SchemaFileError(f"schema file {path} cannot be used: {error}") from None


def _apply(database: Database, catalog: Catalog, dataset: str, path: Path) -> None:
    schema = {"fields": json.loads(path.read_text(encoding="utf-8"))}
    with database.write() as cursor:
        table = catalog.find_table(cursor, dataset, path.stem)
        if table is None:
            catalog.create_table(cursor, dataset, path.stem, {"schema": schema})
        else:
            catalog.put_table(cursor, table, table.resource | {"schema": schema})
