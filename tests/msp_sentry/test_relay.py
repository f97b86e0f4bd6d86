"""Events as Sentry's own ingestion judges them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from msp_core import RequestContext, current_request
from tests.msp_sentry.conftest import Open, raised

processing = pytest.importorskip("sentry_relay.processing")


def complaints(value: Any) -> Iterator[Any]:
    """Yield what Relay found wrong in a normalised event."""
    if isinstance(value, dict):
        if "err" in value:
            yield value
        for each in value.values():
            yield from complaints(each)


async def test_accepts_events(opened: Open, events: Callable[[], list[dict[str, Any]]]) -> None:
    """Relay, which guards Sentry, finds no mistake in an event with everything in it."""
    async with opened():
        token = current_request.set(
            RequestContext(request_id="r", trace_id="a" * 32, span_id="b" * 16)
        )
        logging.getLogger("x").critical("%s", "y", exc_info=raised(OSError()), extra={"a": [1]})
        current_request.reset(token)
    (event,) = events()
    normal = processing.StoreNormalizer(project_id=1).normalize_event(event)
    broken = processing.StoreNormalizer(project_id=1).normalize_event({**event, "level": "bad"})

    assert list(complaints(normal.get("_meta", {}))) == []
    assert list(complaints(broken["_meta"]))
    assert normal["tags"]
    assert normal["contexts"]["trace"]["trace_id"] == "a" * 32
