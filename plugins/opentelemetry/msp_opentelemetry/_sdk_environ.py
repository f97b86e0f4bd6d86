"""The variables that OpenTelemetry's packages read themselves, in the process's environment."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

# Propagators and providers are the runtime's own, and naming others can fail an import.
_OURS = {"OTEL_PROPAGATORS", "OTEL_PYTHON_METER_PROVIDER", "OTEL_PYTHON_TRACER_PROVIDER"}


@contextlib.contextmanager
def sdk_environ() -> Iterator[None]:
    """Hide what must not be read while the block runs: what is ours, and what is set to nothing.

    Set to nothing is not set, says the specification; the packages do not always heed it.
    """
    hidden = {
        name: value
        for name, value in os.environ.items()
        if name in _OURS or (name.startswith("OTEL_") and not value)
    }
    for name in hidden:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(hidden)
