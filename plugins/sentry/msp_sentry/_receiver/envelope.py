"""Envelope: what Sentry's SDKs send, taken apart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import attrs


class EnvelopeError(ValueError):
    """What was sent is no envelope."""


@attrs.frozen(kw_only=True)
class Item:
    """One part of an envelope.

    Attributes:
        type: `event`, `transaction`, `check_in`, …
        payload: its JSON; None for what is none, such as an attachment.
    """

    type: str
    payload: Any


def parse_envelope(data: bytes) -> tuple[Item, ...]:
    """Return the items of an envelope.

    Raises:
        EnvelopeError: it is not as Sentry's developer documentation describes it.
    """
    _, rest = _line(data)
    return tuple(_items(rest))


def _items(data: bytes) -> Iterator[Item]:
    while data.strip(b"\n"):
        header, data = _line(data.lstrip(b"\n"))
        if not isinstance(header.get("type"), str):
            raise EnvelopeError("an item has no type")
        length = header.get("length")
        if length is None:  # then the payload ends with its line
            length = len(data.partition(b"\n")[0])
        payload, data = data[:length], data[length:]
        if len(payload) != length or data[:1] not in (b"", b"\n"):
            raise EnvelopeError("an item is not as long as it says")
        yield Item(type=header["type"], payload=_json_or_none(payload))


def _line(data: bytes) -> tuple[dict[str, Any], bytes]:
    line, _, rest = data.partition(b"\n")
    header = _json_or_none(line)
    if not isinstance(header, dict):
        raise EnvelopeError("a header is no JSON object")
    return header, rest


def _json_or_none(data: bytes) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(data)
    except ValueError:
        return None
