"""EncodedRow: a row as the Storage Write API takes it."""

from __future__ import annotations

from typing import Any, ClassVar

import attrs

from msp_bigquery._rows.plain import Plain
from msp_bigquery._rows.plain_row import PLAIN
from msp_bigquery._rows.values import UnfitError
from msp_bigquery._storage.proto_values import UnfitValueError
from msp_bigquery._storage.table_proto import TableProto

_LENGTH = 5  # bytes before each row of a request, at most


# Not frozen, though nobody changes it: one is made for each row, and frozen it took twice as long.
@attrs.define(repr=False, eq=False)
class EncodedRow:
    """A row on its way, as the bytes that are sent: nothing is smaller, or weighed more exactly.

    Attributes:
        data: a message.
        proto: of the schema that its table had when it was taken.
        insert_id: None for none; not sent.
    """

    data: bytes
    proto: TableProto
    insert_id: str | None
    unfit: ClassVar[None] = None

    @classmethod
    def of(cls, row: Any, insert_id: str | None, proto: TableProto) -> EncodedRow | None:  # noqa: ANN401 - whatever is given
        """Return a row as it is now; None when it does not fit the schema as far as it is known.

        Raises:
            RowValueError: it is no row.
        """
        try:
            data = proto.encode(PLAIN.read(row), PLAIN.convert_value)
        except (UnfitError, UnfitValueError):
            return None
        return cls(data, proto, insert_id)

    @property
    def weight(self) -> int:
        """Bytes that it adds to a request."""
        return len(self.data) + _LENGTH

    @property
    def values(self) -> dict[str, Plain]:
        """What was written, by column; NULL is left out."""
        return self.proto.decode(self.data)
