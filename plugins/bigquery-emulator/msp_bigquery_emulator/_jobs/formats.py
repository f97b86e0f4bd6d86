"""Formats: what the files of a load job hold, as rows that still have to be checked."""

from __future__ import annotations

import base64
import gzip
import json
import re
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeAlias

import attrs
import duckdb

from msp_bigquery_emulator._errors import invalid, make_unsupported
from msp_bigquery_emulator._jobs.autodetect import column_kinds, detect_fields
from msp_bigquery_emulator._jobs.csv_rows import CSVOptions
from msp_bigquery_emulator._store.fields import Field, parse_fields
from msp_bigquery_emulator._store.storage import literal, result_field

_GZIP: Final = b"\x1f\x8b"
_SHORT: Final = {"INTEGER": "int64", "FLOAT": "double", "BOOLEAN": "bool"}
_NO_NAME: Final = re.compile(r"\W")


@attrs.frozen
class Content:
    """What files hold.

    Attributes:
        fields: of the rows; guessed when the job gave none.
        rows: each with where it stands, and a value or what is wrong with it.
    """

    fields: tuple[Field, ...]
    rows: Sequence[tuple[str, Any]]


Read: TypeAlias = Callable[[Mapping[str, Any], Sequence[bytes], tuple[Field, ...] | None], Content]


def read_files(
    request: Mapping[str, Any], files: Sequence[bytes], fields: tuple[Field, ...] | None
) -> Content:
    """Return what the files of a load job hold.

    Args:
        request: REST's `configuration.load`.
        files: their content; each may be compressed with gzip.
        fields: of the job or its table; None to guess them.

    Raises:
        BigQueryError: a format that is not supported, or a file that is not in it.
    """
    kind = str(request.get("sourceFormat") or "CSV").upper()
    read = _FORMATS.get(kind)
    if read is None:
        raise make_unsupported(f"a load job of the format {kind[:50]}")
    return read(request, [_decompress(file) for file in files], fields)


def _decompress(file: bytes) -> bytes:
    if not file.startswith(_GZIP):
        return file
    try:
        return gzip.decompress(file)
    except (OSError, EOFError, zlib.error):
        raise invalid("Error while reading data, error message: bad gzip data") from None


def _read_json(
    _: Mapping[str, Any], files: Sequence[bytes], fields: tuple[Field, ...] | None
) -> Content:
    rows = [row for file in files for row in _lines(file)]
    return Content(fields or detect_fields(row for _, row in rows), rows)


def _lines(file: bytes) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(file.split(b"\n"), 1):
        if line.strip():
            try:
                yield f"line {number}", json.loads(line)
            except (ValueError, RecursionError):
                yield f"line {number}", ValueError("it is not JSON")


def _read_csv(
    request: Mapping[str, Any], files: Sequence[bytes], fields: tuple[Field, ...] | None
) -> Content:
    options = CSVOptions.of(request)
    tables = [options.rows(file) for file in files]
    if fields is None:
        fields, headed = _detect_columns(options, [row for _, row in tables[0]])
        options = attrs.evolve(options, skipped=max(options.skipped or 0, int(headed)))
    lenient = bool(request.get("ignoreUnknownValues"))
    names = [field.name for field in fields]
    rows = [
        (f"line {line}", _name_row(names, row, jagged=options.jagged, lenient=lenient))
        for table in tables
        for line, row in table[options.skipped or 0 :]
    ]
    return Content(fields, rows)


def _detect_columns(
    options: CSVOptions, rows: Sequence[Sequence[str | None]]
) -> tuple[tuple[Field, ...], bool]:
    """Return the columns that rows seem to have, and whether the first row has their names."""
    skipped = options.skipped
    head, body = rows[: skipped or 1], rows[skipped or 1 :]
    width = max((len(row) for row in rows), default=0)
    kinds = column_kinds(body, width)
    headed = bool(skipped)
    if skipped is None and head:
        # As BigQuery guesses: text above what is no text.
        texts = set(column_kinds(head, len(head[0]))) == {"STRING"} and None not in head[0]
        headed = texts and bool(body) and set(kinds) != {"STRING"}
    names = [str(name) for name in head[-1]] if headed and head else []
    if not headed:
        kinds = column_kinds(rows, width)
    resources = [
        {"name": _column_name(names, index, kind), "type": kind} for index, kind in enumerate(kinds)
    ]
    if not resources:
        raise invalid("Schema has no fields: there is no row to detect it from")
    return parse_fields(resources), headed


def _column_name(names: Sequence[str], index: int, kind: str) -> str:
    if index >= len(names):
        return f"{_SHORT.get(kind, kind).lower()}_field_{index}"
    name = _NO_NAME.sub("_", names[index])
    return name if name and not name[0].isdigit() else f"_{name}"


def _name_row(
    names: Sequence[str], row: Sequence[str | None], *, jagged: bool, lenient: bool
) -> Any:  # noqa: ANN401 - a row, or what is wrong with it
    if len(row) > len(names) and not lenient:
        return ValueError(f"too many values: expected {len(names)}, found {len(row)}")
    if len(row) < len(names) and not jagged:
        return ValueError(f"too few values: expected {len(names)}, found {len(row)}")
    return dict(zip(names, row, strict=False))


def _read_parquet(
    _: Mapping[str, Any], files: Sequence[bytes], fields: tuple[Field, ...] | None
) -> Content:
    found, rows = fields, []
    for file in files:
        names, values = _parquet(file)
        found = found or names
        columns = [field.name for field in names]
        rows += [
            (f"row {number}", dict(zip(columns, map(_plain, row), strict=True)))
            for number, row in enumerate(values, 1)
        ]
    return Content(found or (), rows)


def _parquet(file: bytes) -> tuple[tuple[Field, ...], list[tuple[Any, ...]]]:
    """Read a file with a DuckDB of its own: that of the data reaches no files."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as reader:
        path = Path(folder) / "file.parquet"
        path.write_bytes(file)
        try:
            reader.execute("SET TimeZone = 'UTC'")
            reader.execute(f"SELECT * FROM read_parquet({literal(str(path))})")
        except duckdb.Error:
            raise invalid("Error while reading data, error message: it is no Parquet") from None
        fields = tuple(result_field(name, kind) for name, kind, *_ in reader.description or ())
        return fields, reader.fetchall()


def _plain(value: Any) -> Any:  # noqa: ANN401 - what DuckDB gives, and JSON
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_plain(element) for element in value]
    return value


_FORMATS: Final[Mapping[str, Read]] = {
    "CSV": _read_csv,
    "NEWLINE_DELIMITED_JSON": _read_json,
    "PARQUET": _read_parquet,
}
