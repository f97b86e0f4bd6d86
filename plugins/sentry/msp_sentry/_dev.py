"""The receiver that stands in for Sentry on a laptop."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from msp_core.dev import answers, server_folder, server_process


@contextlib.asynccontextmanager
async def sentry_receiver(folder: Path) -> AsyncIterator[Mapping[str, str]]:
    """Run a receiver on a free port of 127.0.0.1 and keep what arrives in a folder.

    What arrived is shown as JSON at that port: `/events`, `/transactions`, `/check-ins`,
    `/counts`. Stops by itself when this process ends.

    Args:
        folder: this resource's own; made when missing.

    Yields:
        `SENTRY_DSN`.

    Raises:
        DevError: the folder is in use, or the receiver does not start.
    """
    async with server_folder(folder) as held:
        port = held.port()
        kept = held.subfolder("envelopes")
        command = [sys.executable, "-m", "msp_sentry._receiver.server", str(port), str(kept)]
        async with server_process(command, folder=held, ready=answers(port)):
            yield {"SENTRY_DSN": f"http://dev@127.0.0.1:{port}/1"}
