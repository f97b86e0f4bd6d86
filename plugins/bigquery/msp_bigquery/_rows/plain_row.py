"""PlainRow: a row for a table whose schema is not yet known, or has changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import attrs

from msp_bigquery._rows.plain import Plain
from msp_bigquery._rows.surrogates import make_refusal
from msp_bigquery._rows.values import RowConverter

# Of rows for the Storage Write API.
PLAIN = RowConverter()
_SCALAR = 32  # bytes of a tag with a length, a number, a moment or a decimal
_LARGE = frozenset({bytes, dict, list})


@attrs.frozen(repr=False)
class PlainRow:
    """A row on its way to the Storage Write API that is encoded when it is sent.

    Attributes:
        values: by column.
        insert_id: None for none; not sent.
        weight: bytes that it adds to a request, at most.
    """

    values: dict[str, Plain]
    insert_id: str | None
    weight: int
    unfit: ClassVar[None] = None

    @classmethod
    def of(cls, row: Any, insert_id: str | None) -> PlainRow:  # noqa: ANN401 - whatever is given
        """Return a row as it is now.

        Raises:
            RowValueError: it is no row, or holds what BigQuery has no type for.
            RefusalError: it holds what no column could hold.
        """
        values = PLAIN.convert(row)
        try:
            return cls(values, insert_id, weigh(values.values()))
        except UnicodeEncodeError:
            raise make_refusal(values) from None


def weigh(values: Iterable[Plain]) -> int:
    """Return how many bytes plain values take as protocol buffers, at most.

    Raises:
        UnicodeEncodeError: a text holds a lone surrogate.
    """
    total = 0
    for value in values:
        total += _SCALAR
        kind = type(value)  # exact for texts, bytes, lists and dicts
        if kind is str:
            total += len(value) if value.isascii() else len(value.encode())
        elif kind in _LARGE:
            total += len(value) if kind is bytes else weigh(_inner(value))
    return total


def _inner(value: Plain) -> Iterable[Plain]:
    """Return the values in a list or dict."""
    return value.values() if isinstance(value, dict) else value
