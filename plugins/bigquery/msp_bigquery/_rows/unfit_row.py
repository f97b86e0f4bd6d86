"""UnfitRow: a row that is refused before it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs


@attrs.frozen(repr=False)
class UnfitRow:
    """A row with a value that BigQuery could not hold, among others that it can.

    Attributes:
        values: as they were given, by column.
        insert_id: None for none.
        unfit: why it is refused; never a value.
    """

    values: Mapping[str, Any]
    insert_id: str | None
    unfit: str

    @property
    def weight(self) -> int:
        """Bytes that it adds to a request: none."""
        return 0
