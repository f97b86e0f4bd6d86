"""JSONRow: a row as streaming inserts take it."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping
from typing import Any, ClassVar

import attrs

from msp_bigquery._rows.json_text import json_bytes, special_float
from msp_bigquery._rows.plain import Plain
from msp_bigquery._rows.surrogates import make_refusal
from msp_bigquery._rows.values import RowConverter


def _finite(value: float) -> Plain:
    return value if math.isfinite(value) else special_float(value)


# orjson writes numbers that are not finite as null, and 10,000 µs of a time as .10000 s.
_CONVERTER = RowConverter({float: _finite, dt.time: dt.time.isoformat})


# Not frozen, though nobody changes it: one is made for each row, and frozen it took twice as long.
@attrs.define(repr=False, eq=False)
class JSONRow:
    """A row on its way, as the bytes that are sent: nothing is smaller, or weighed more exactly.

    Attributes:
        text: one of the `rows` of a request.
    """

    text: bytes
    unfit: ClassVar[None] = None

    @classmethod
    def of(cls, row: Any, insert_id: str | None) -> JSONRow:  # noqa: ANN401 - whatever is given
        """Return a row as it is now.

        Raises:
            RowValueError: it is no row, or holds what BigQuery has no type for.
            RefusalError: it holds what no column could hold.
        """
        values = _CONVERTER.convert(row)
        entry = {"json": values} if insert_id is None else {"insertId": insert_id, "json": values}
        try:
            return cls(json_bytes(entry))
        except UnicodeEncodeError:
            raise make_refusal(values) from None

    @property
    def weight(self) -> int:
        """Bytes that it adds to a request, a comma included."""
        return len(self.text) + 1

    @property
    def values(self) -> Mapping[str, Plain]:
        """What was written, by column, as JSON has it."""
        values: Mapping[str, Plain] = json.loads(self.text)["json"]
        return values

    @property
    def insert_id(self) -> str | None:
        """None for none."""
        insert_id: str | None = json.loads(self.text).get("insertId")
        return insert_id
