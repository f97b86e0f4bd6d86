"""Schema files: tables made and changed when the emulator starts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import pytest

from msp_bigquery_emulator._store.schema_files import SchemaFileError
from msp_bigquery_emulator.emulator import Emulator, Options
from tests.msp_bigquery_emulator.conftest import connect

EXAMPLE: list[dict[str, Any]] = [
    {"name": "name", "type": "STRING", "mode": "REQUIRED", "description": "who"},
    {"name": "metadata", "type": "JSON"},
    {"name": "created_at", "type": "TIMESTAMP", "mode": "REQUIRED"},
]


@pytest.fixture
def schemas(tmp_path: Path) -> Path:
    """Return the folder of schema files, with one."""
    folder = tmp_path / "schemas"
    folder.mkdir()
    (folder / "example.json").write_text(json.dumps(EXAMPLE))
    return folder


def test_tables(options: Options, schemas: Path) -> None:
    """Each file is a table; a column that is new in the file is added, and rows stay."""
    options = attrs.evolve(options, schemas=schemas)
    with Emulator(options) as emulator, connect(emulator.http) as client:
        client.insert_rows_json("project-1.d.example", [{"name": "a", "created_at": 0}])
    (schemas / "example.json").write_text(json.dumps([*EXAMPLE, {"name": "n", "type": "INT64"}]))
    with Emulator(options) as emulator, connect(emulator.http) as client:
        table = client.get_table("d.example")

    assert [field.name for field in table.schema] == ["name", "metadata", "created_at", "n"]
    assert (table.schema[0].description, table.num_rows) == ("who", 1)


@pytest.mark.parametrize("content", ["{", "{}", "[1]", json.dumps(EXAMPLE[1:])])
def test_file_that_cannot_be(options: Options, schemas: Path, content: str) -> None:
    """A file that is no schema, or not one that the table can get, is named."""
    options = attrs.evolve(options, schemas=schemas)
    with Emulator(options):
        (schemas / "example.json").write_text(content)
    with pytest.raises(SchemaFileError, match=r"example\.json cannot be used"), Emulator(options):
        raise AssertionError("it started")


def test_no_folder(options: Options, tmp_path: Path) -> None:
    """A folder that is missing has no tables."""
    with (
        Emulator(attrs.evolve(options, schemas=tmp_path / "nope")) as emulator,
        connect(emulator.http) as client,
    ):
        assert list(client.list_tables("d")) == []
