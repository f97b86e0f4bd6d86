"""uuid7(): an identifier that sorts by the time it was made (RFC 9562, section 5.7)."""

from __future__ import annotations

import os
import time
import uuid

_VERSION = 7 << 76
_VARIANT = 0b10 << 62
_VERSION_BITS = 0xF << 76
_VARIANT_BITS = 0b11 << 62


def uuid7() -> str:
    """Return a new UUID of version 7: 48 bits of Unix milliseconds, 74 random ones."""
    milliseconds = time.time_ns() // 1_000_000
    bits = milliseconds << 80 | int.from_bytes(os.urandom(10))
    bits = bits & ~_VERSION_BITS | _VERSION
    bits = bits & ~_VARIANT_BITS | _VARIANT
    return str(uuid.UUID(int=bits))
