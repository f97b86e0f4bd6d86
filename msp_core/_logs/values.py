"""Values of log fields as JSON: whatever a program logs, a valid line comes out."""

from __future__ import annotations

import datetime as dt
import enum
import json
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

Encode = Callable[[Any], str]
"""(value) -> one line of JSON in ASCII; never raises for what a value does."""

# Levels of nesting that are kept; deeper ones are printed as text.
DEPTH: Final = 16

# Of an integer that is a number in JSON; longer ones are hexadecimal text.
MAX_BITS: Final = 1024


def encode(value: Any) -> str:  # noqa: ANN401 - any value is the point
    """Return the value as one line of JSON; never raises for what a value does."""
    try:
        return _encoder.encode(value)
    except Exception:  # noqa: BLE001 - a key, a cycle, NaN, a property that raises
        return _encoder.encode(make_plain(value))


def find_encode() -> Encode:
    """Return what encodes like `encode`; with orjson where it is installed, the fast extra."""
    try:
        import orjson  # noqa: PLC0415 - not there everywhere
    except ImportError:
        return encode
    # What orjson would print in another way than `encode`, or take apart, it refuses.
    refused = (
        orjson.OPT_PASSTHROUGH_DATACLASS
        | orjson.OPT_PASSTHROUGH_DATETIME
        | orjson.OPT_PASSTHROUGH_SUBCLASS
    )

    def encode_fast(value: Any) -> str:  # noqa: ANN401 - as encode
        try:
            data: bytes = orjson.dumps(value, None, refused)
        except Exception:  # noqa: BLE001 - as encode
            return encode(value)
        # It prints NaN as null, and characters that end a line for some reader as they are.
        if data.isascii() and b"null" not in data:
            return data.decode()
        return encode(value)

    return encode_fast


def make_plain(value: Any, above: tuple[Any, ...] = ()) -> Any:  # noqa: ANN401 - as encode
    """Return the value made of str, int, float, bool, None, dict and list only.

    Args:
        value: anything.
        above: the containers it lies in; one that contains itself is printed as text.
    """
    if value is None or isinstance(value, bool | str | int | float):
        return _scalar(value)
    if len(above) == DEPTH or any(value is container for container in above):
        return _text(value)
    below = (*above, value)
    try:
        if isinstance(value, Mapping):
            return {_text(key): make_plain(item, below) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [make_plain(item, below) for item in value]
        return make_plain(_stand_in_for(value), below)
    except Exception:  # noqa: BLE001 - a container or an attribute that raises
        return _text(value)


def _scalar(value: str | float | None) -> str | float | None:
    """Return the value as its make_plain type; of subclasses only what they inherit is asked."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        # Python refuses to print very long integers in decimal, and nobody reads them.
        short = int.bit_length(value) <= MAX_BITS
        return int.__int__(value) if short else int.__format__(value, "#x")
    return float.__float__(value) if math.isfinite(value) else float.__repr__(value)


def _stand_in_for(value: Any) -> Any:  # noqa: ANN401 - as encode
    """Return what stands for an object of a well-known type; its repr otherwise.

    Dataclasses and attrs classes too are printed, not taken apart: a class that hides a field
    from its repr has a reason.
    """
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, set | frozenset):
        return list(value)
    if isinstance(value, BaseException):
        return f"{type(value).__qualname__}: {value}"
    return _text(value)


def _text(value: Any) -> str:  # noqa: ANN401 - as encode
    if isinstance(value, str):
        return str.__str__(value)
    try:
        return repr(value) if isinstance(value, bytes | bytearray) else str(value)
    except Exception:  # noqa: BLE001 - a repr of one's own may do anything
        return f"<unprintable {type(value).__qualname__}>"


# Only ASCII: everything that ends a line for some reader is then escaped, and so are surrogates.
_encoder = json.JSONEncoder(
    default=_stand_in_for, ensure_ascii=True, allow_nan=False, separators=(",", ":")
)
