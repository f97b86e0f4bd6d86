"""JSON: marks a value that belongs in a column of type JSON."""

from __future__ import annotations

from typing import Any

import attrs

from msp_bigquery._rows.json_text import json_text


@attrs.frozen(repr=False)
class JSON:
    """A value for a column of type JSON; a plain mapping is a nested RECORD instead.

    Attributes:
        value: whatever `json.dumps` takes, and UUIDs and members of enums in it.
    """

    value: Any

    def text(self) -> str:
        """Return it as BigQuery takes it: serialised.

        Raises:
            TypeError: it holds what JSON cannot express.
            ValueError: it holds itself, a number that is not finite, or a lone surrogate.
        """
        return json_text(self.value)
