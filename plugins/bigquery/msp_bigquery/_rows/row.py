"""Row: what is written, with the id by which BigQuery recognises it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, runtime_checkable

import attrs

from msp_bigquery._rows.insert_ids import InsertIds
from msp_bigquery._rows.plain import Plain
from msp_bigquery._rows.unfit_row import UnfitRow
from msp_bigquery._rows.values import RefusalError, RowConverter
from msp_bigquery.errors import RowValueError

_READER = RowConverter()
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


class PreparedRow(Protocol):
    """A row on its way, as it was when it was given; shows nothing of it in its repr.

    Attributes:
        values: by column.
        insert_id: None for none.
        weight: bytes of a request that it takes.
        unfit: why it is refused before it is sent; None for rows that may be taken.
    """

    @property
    def values(self) -> Mapping[str, Plain]: ...
    @property
    def insert_id(self) -> str | None: ...
    @property
    def weight(self) -> int: ...
    @property
    def unfit(self) -> str | None: ...


Form = Callable[[Any, str | None], PreparedRow]
"""(attrs instance or mapping, insert id) -> the row as one way into BigQuery wants it.

Raises a RowValueError, or a RefusalError.
"""


def prepare(rows: Iterable[object], form: Form, insert_ids: InsertIds | None) -> list[PreparedRow]:
    """Return rows ready to be sent, as they are now.

    Args:
        rows: attrs instances, mappings, `Row`s, or what has a `bigquery_row` method.
        form: that of the way they go.
        insert_ids: gives ids to rows that have none; None when they are to have none.

    Raises:
        RowValueError: one is none of these, or holds what BigQuery has no type for; names its
            number, from 1. One whose types are right, but not its values, is prepared to be
            refused alone.
    """
    prepared: list[PreparedRow] = []
    ids = insert_ids.make() if insert_ids else None
    try:
        for given in rows:
            values, insert_id = _take_apart(given)
            if not insert_id and ids:
                insert_id = next(ids)
            try:
                prepared.append(form(values, insert_id))
            except RefusalError as refusal:  # the others are not to blame
                prepared.append(UnfitRow(_READER.read(values), insert_id, str(refusal)))
    except RowValueError as error:
        raise RowValueError(f"row {len(prepared) + 1}: {error}") from None
    return prepared


def _take_apart(given: Any) -> tuple[Any, str | None]:  # noqa: ANN401 - whatever a caller gives
    """Return the values of what was given, and its own insert id."""
    if not isinstance(given, Row):
        save = getattr(given, "bigquery_row", None)
        if save is None:
            return given, None
        given = save()
    insert_id = given.insert_id or None
    if insert_id is not None and len(insert_id) > _LONGEST_ID:
        raise RowValueError(f"the insert id is longer than {_LONGEST_ID} characters")
    return given.values, insert_id
