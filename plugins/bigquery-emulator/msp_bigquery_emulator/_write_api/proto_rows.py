"""ProtoRows: rows as serialized messages, read by the descriptor that came with them."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, TypeAlias

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message

from msp_bigquery_emulator._store.fields import Field
from msp_bigquery_emulator._store.values import ValueRefusedError, micros, value_decoder
from msp_bigquery_emulator._write_api.write_streams import StreamError

_Read: TypeAlias = Callable[[Any], Any]

_TEXT: Final = FieldDescriptor.CPPTYPE_STRING
_WHOLE: Final = frozenset(
    {
        FieldDescriptor.CPPTYPE_INT32,
        FieldDescriptor.CPPTYPE_INT64,
        FieldDescriptor.CPPTYPE_UINT32,
        FieldDescriptor.CPPTYPE_UINT64,
        FieldDescriptor.CPPTYPE_ENUM,
    }
)
_REAL: Final = frozenset({FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT})
_NUMBERS: Final = _WHOLE | _REAL
_BOOLEAN: Final = frozenset({FieldDescriptor.CPPTYPE_BOOL})
_DAY_ONE: Final = date(1970, 1, 1)
_TIMESTAMPS: Final = range(
    micros(datetime(1, 1, 1, tzinfo=UTC)), micros(datetime.max.replace(tzinfo=UTC)) + 1
)


class ProtoRows:
    """Reads the rows of one writer."""

    def __init__(self, descriptor: descriptor_pb2.DescriptorProto) -> None:
        """Build the message's class.

        Raises:
            StreamError: the descriptor is not complete in itself.
        """
        file = descriptor_pb2.FileDescriptorProto(name="row.proto", package="row")
        file.message_type.add().CopyFrom(descriptor)
        pool = descriptor_pool.DescriptorPool()
        try:
            pool.Add(file)
            self._descriptor = pool.FindMessageTypeByName(f"row.{descriptor.name}")
        except (KeyError, TypeError, ValueError):
            raise StreamError(
                "INVALID_ARGUMENT",
                f"Invalid proto schema: {descriptor.name} needs types that it does not hold",
            ) from None
        self._class = message_factory.GetMessageClass(self._descriptor)
        self._fields: tuple[Field, ...] = ()
        self._read: _Read | None = None

    def read(
        self, fields: tuple[Field, ...], rows: Iterable[bytes]
    ) -> tuple[list[Mapping[str, Any]], dict[int, str]]:
        """Return rows in the form that `storage` reads, and why which others are refused.

        Raises:
            StreamError: the messages have a field that the table does not have, or of a type that
                it cannot have.
        """
        if self._read is None or fields != self._fields:
            self._read, self._fields = _record(fields, self._descriptor), fields
        read, good, refused = self._read, [], {}
        for index, row in enumerate(rows):
            try:
                good.append(read(self._class.FromString(row)))
            except ValueRefusedError as error:
                where = f"Field {error.location}: " if error.location else ""
                refused[index] = f"{where}{error.reason}"
            except DecodeError:
                refused[index] = "Could not parse the row by the proto schema"
        return good, refused


def _record(fields: tuple[Field, ...], descriptor: Descriptor) -> _Read:
    given = {field.name.lower(): field for field in descriptor.fields}
    extra = set(given) - {field.name.lower() for field in fields}
    if extra:
        raise StreamError(
            "INVALID_ARGUMENT",
            f"Input schema has more fields than BigQuery schema, extra fields: {min(extra)}",
            "SCHEMA_MISMATCH_EXTRA_FIELDS",
        )
    members = [
        (field, proto.name, _reader(field, proto))
        for field in fields
        if (proto := given.get(field.name.lower())) is not None
    ]
    missing: dict[str, Any] = {field.name: [] if field.repeated else None for field in fields}
    required = [field.name for field in fields if field.mode == "REQUIRED"]

    def read(message: Message) -> dict[str, Any]:
        row = dict(missing)
        for field, proto_name, read_member in members:
            if field.repeated or message.HasField(proto_name):
                try:
                    row[field.name] = read_member(getattr(message, proto_name))
                except ValueRefusedError as refused:
                    raise refused.seen_from(field.name) from None
        for name in required:
            if row[name] is None:
                raise ValueRefusedError(f"Missing required field: {name}.", name)
        return row

    return read


def _reader(field: Field, proto: FieldDescriptor) -> _Read:
    if field.repeated != proto.is_repeated:
        raise _mismatch(field, "repeated" if proto.is_repeated else "not repeated")
    if field.repeated:
        one = _scalar(field.element, proto)
        return lambda values: [one(value) for value in values]
    return _scalar(field, proto)


def _scalar(field: Field, proto: FieldDescriptor) -> _Read:
    if field.type == "RECORD":
        if proto.message_type is None:
            raise _mismatch(field, "not a message")
        return _record(field.fields, proto.message_type)
    if proto.cpp_type == _TEXT:
        is_bytes = proto.type == FieldDescriptor.TYPE_BYTES
        read = (_FROM_BYTES if is_bytes else _FROM_STRING).get(field.type)
        if read is None and not is_bytes:
            read = value_decoder(Field(field.name, field.type))
    else:
        takes, read = _FROM_NUMBER.get(field.type, (frozenset(), None))
        if proto.cpp_type not in takes:
            read = None
    if read is None:
        raise _mismatch(field, "of another type")
    return read


def _mismatch(field: Field, what: str) -> StreamError:
    return StreamError(
        "INVALID_ARGUMENT",
        f"The proto field mismatched with BigQuery field at {field.name}: it is {what}, "
        f"expected {field.mode} {field.type}",
    )


def _keep(value: Any) -> Any:  # noqa: ANN401 - any scalar
    return value


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _double(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


def _make_decimal_reader(type_: str, scale: int) -> _Read:
    """Return the reader of a decimal as BigQuery writes it in bytes: scaled, little-endian."""
    decode = value_decoder(Field("decimal", type_))

    def read(value: bytes) -> Any:  # noqa: ANN401 - what the decoder gives
        whole = int.from_bytes(value, "little", signed=True)
        return decode(str(Decimal((int(whole < 0), tuple(map(int, str(abs(whole)))), -scale))))

    return read


def _day(value: int) -> str:
    try:
        return (_DAY_ONE + timedelta(days=value)).isoformat()
    except OverflowError:
        raise ValueRefusedError(f"Invalid date: day {value}.") from None


def _micros(value: int) -> int:
    if value not in _TIMESTAMPS:
        raise ValueRefusedError(f"Timestamp is out of range: {value}, expected years 1 to 9999.")
    return value


def _time(value: int) -> str:
    """Read a packed time: hour, minute, second and microseconds side by side."""
    try:
        return time(*_clock(value >> 20), value & 0xFFFFF).isoformat()
    except ValueError:
        raise ValueRefusedError(f"Invalid packed time: {value}.") from None


def _datetime(value: int) -> str:
    """Read a packed datetime: year, month and day before a packed time."""
    day = value >> 37
    try:
        parsed = datetime(  # noqa: DTZ001 - a DATETIME has no zone
            day >> 9, day >> 5 & 15, day & 31, *_clock(value >> 20 & 0x1FFFF), value & 0xFFFFF
        )
    except ValueError:
        raise ValueRefusedError(f"Invalid packed datetime: {value}.") from None
    return parsed.isoformat()


def _clock(packed: int) -> tuple[int, int, int]:
    return packed >> 12, packed >> 6 & 63, packed & 63


def _via_text(type_: str) -> _Read:
    decode = value_decoder(Field("number", type_))
    return lambda value: decode(str(value))


_FROM_STRING: Final[Mapping[str, _Read]] = {"BYTES": lambda value: _base64(value.encode())}
_FROM_BYTES: Final[Mapping[str, _Read]] = {
    "BYTES": _base64,
    "NUMERIC": _make_decimal_reader("NUMERIC", 9),
    "BIGNUMERIC": _make_decimal_reader("BIGNUMERIC", 38),
}
_FROM_NUMBER: Final[Mapping[str, tuple[frozenset[int], _Read]]] = {
    "INTEGER": (_WHOLE, _via_text("INTEGER")),
    "FLOAT": (_NUMBERS, _double),
    "BOOLEAN": (_BOOLEAN, _keep),
    "NUMERIC": (_NUMBERS, _via_text("NUMERIC")),
    "BIGNUMERIC": (_NUMBERS, _via_text("BIGNUMERIC")),
    "TIMESTAMP": (_WHOLE, _micros),
    "DATE": (_WHOLE, _day),
    "TIME": (_WHOLE, _time),
    "DATETIME": (_WHOLE, _datetime),
}
