"""Records as JSON: every field in order, and only what is meant to be seen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import attrs

from msp_core._text.records import NEVER_SHOWN, SHOWN_WHEN_SET
from msp_core.commands import render_json


@attrs.frozen(kw_only=True)
class Part:
    name: str
    since: datetime | None = None


@attrs.frozen(kw_only=True)
class Whole:
    event: str = attrs.field(default="made", init=False)
    parts: Sequence[Part] = ()
    hidden: int = attrs.field(default=1, metadata=NEVER_SHOWN)
    rare: dict[str, int] | None = attrs.field(default=None, metadata=SHOWN_WHEN_SET)
    last: bool = False


def test_record_becomes_an_object() -> None:
    """Classes are objects, sequences arrays, times texts; the order is that of the class."""
    whole = Whole(parts=(Part(name="a"), Part(name="b", since=datetime(2026, 1, 2, tzinfo=UTC))))

    assert render_json(whole, indent=None) == (
        '{"event": "made", "parts": [{"name": "a", "since": null}, '
        '{"name": "b", "since": "2026-01-02T00:00:00+00:00"}], "last": false}'
    )


def test_rare_field_is_there_when_it_is_set() -> None:
    """What hardly anybody has costs the others no line; what is never shown stays away."""
    found = json.loads(render_json(Whole(rare={"a": 1}, hidden=2)))

    assert list(found) == ["event", "parts", "last", "rare"]
    assert found["rare"] == {"a": 1}


def test_json_is_indented_for_readers() -> None:
    """Somebody reads it, too."""
    assert render_json([Part(name="a")]).splitlines()[:3] == [
        "[",
        "  {",
        '    "name": "a",',
    ]
