"""DevResource: the embedded stand-in a plugin starts on a laptop (skeleton)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path

DevResource = Callable[[Path], AbstractAsyncContextManager[Mapping[str, str]]]
"""(data folder of this resource) -> async context manager of variables, `{"PGDSN": …}`."""
