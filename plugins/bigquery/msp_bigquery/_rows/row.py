"""Row: what is written, with the id by which BigQuery recognises it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol, runtime_checkable

import attrs

from msp_bigquery._rows.insert_ids import InsertIds
from msp_bigquery._rows.values import Plain, plain_row, weight
from msp_bigquery.errors import RowValueError

_LONGEST_ID = 128  # characters; BigQuery's limit


@attrs.frozen(repr=False)
class Row:
    """A row with an insert id of its own.

    Attributes:
        values: an attrs instance or a mapping, by column.
        insert_id: BigQuery drops a row whose id it has seen within the last minute or so; at most
            128 characters. None or empty for none.
    """

    values: Any
    insert_id: str | None = None


@runtime_checkable
class SavesRow(Protocol):
    """Something that says by itself how it is written."""

    def bigquery_row(self) -> Row:
        """Return the row, `Row(self, insert_id=…)` when only the id is special."""
        ...


@attrs.frozen(repr=False)
class PreparedRow:
    """A row on its way.

    Attributes:
        values: by column.
        insert_id: None for none.
        weight: about its bytes as JSON.
    """

    values: dict[str, Plain]
    insert_id: str | None
    weight: int


def prepare(rows: Iterable[object], insert_ids: InsertIds | None) -> list[PreparedRow]:
    """Return rows ready to be sent, as they are now.

    Args:
        rows: attrs instances, mappings, `Row`s, or what has a `bigquery_row` method.
        insert_ids: gives ids to rows that have none; None when they are to have none.

    Raises:
        RowValueError: one is none of these, or holds what BigQuery has no type for; names its
            number, from 1.
    """
    prepared, ids = [], insert_ids.make() if insert_ids else None
    for number, row in enumerate(rows, start=1):
        try:
            prepared.append(_prepare(row, ids))
        except RowValueError as error:
            raise RowValueError(f"row {number}: {error}") from None
    return prepared


def _prepare(given: object, ids: Iterator[str] | None) -> PreparedRow:
    row = given if isinstance(given, Row) else _row(given)
    insert_id = row.insert_id or (next(ids) if ids else None)
    if insert_id is not None and len(insert_id) > _LONGEST_ID:
        raise RowValueError(f"the insert id is longer than {_LONGEST_ID} characters")
    values = plain_row(row.values)
    return PreparedRow(values, insert_id, weight(values) + len(insert_id or ""))


def _row(given: object) -> Row:
    save = getattr(given, "bigquery_row", None)
    return Row(given) if save is None else save()
