"""RefusedRow: a row that did not get into BigQuery, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs


@attrs.frozen(kw_only=True)
class Failure:
    """What BigQuery says about one row of a request.

    Attributes:
        index: of the row in the request, from 0.
        reasons: BigQuery's words for it, each with the column; never a value.
        details: BigQuery's own sentences, which may quote the row.
    """

    index: int
    reasons: tuple[str, ...]
    details: tuple[str, ...] = attrs.field(default=(), repr=False)


@attrs.frozen(kw_only=True)
class RefusedRow:
    """One row that did not get into BigQuery.

    Attributes:
        number: of the row in the call of `write`, from 1; None when it came through a buffer.
        reasons: why, such as `invalid (column 'age')`; never a value.
        values: the row as it was to be written, by column; with streaming inserts as JSON has it,
            with the Storage Write API maybe without what is NULL. Not in the repr.
        insert_id: of the row; None when it had none.
        details: BigQuery's own sentences, which may quote the row; not in the repr.
    """

    number: int | None
    reasons: tuple[str, ...]
    values: Mapping[str, Any] = attrs.field(repr=False)
    insert_id: str | None = attrs.field(repr=False)
    details: tuple[str, ...] = attrs.field(default=(), repr=False)


@attrs.frozen(kw_only=True)
class DeadLetters:
    """What a dead-letter function is given.

    Attributes:
        table: name of the table that the rows were meant for.
        rows: at least one.
    """

    table: str
    rows: tuple[RefusedRow, ...]


DeadLetter = Callable[[DeadLetters], object]
"""(refused rows) -> ignored; called in a worker thread, must be quick and thread-safe."""
