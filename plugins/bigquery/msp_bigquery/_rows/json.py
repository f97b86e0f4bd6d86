"""JSON: marks a value that belongs in a column of type JSON."""

from __future__ import annotations

import json
from typing import Any

import attrs


@attrs.frozen(repr=False)
class JSON:
    """A value for a column of type JSON; a plain mapping is a nested RECORD instead.

    Attributes:
        value: whatever `json.dumps` takes.
    """

    value: Any

    def text(self) -> str:
        """Return it as BigQuery takes it: serialised.

        Raises:
            TypeError: it holds what JSON cannot express.
            ValueError: it holds itself, or a number that is not finite.
        """
        return json.dumps(self.value, allow_nan=False, separators=(",", ":"))
