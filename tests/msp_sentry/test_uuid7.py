"""UUIDs of version 7."""

from __future__ import annotations

import time
import uuid

from msp_sentry._uuid7 import uuid7


def test_version_and_time() -> None:
    """Version, variant and time stand where RFC 9562 puts them."""
    before = time.time_ns() // 1_000_000
    made = uuid7()
    after = time.time_ns() // 1_000_000

    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert before <= made.int >> 80 <= after


def test_differ() -> None:
    """No two are equal."""
    assert len({uuid7() for _ in range(1000)}) == 1000
