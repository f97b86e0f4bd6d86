"""DevResources: dev resources of several plugins, on an event loop and thread of their own."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from msp_core.deadline import Deadline
from msp_core.dev._folder import forget_folder, unusable
from msp_core.dev._lock import FolderInUseError, is_used
from msp_core.dev._running import StartedResource, join_running, publish
from msp_core.integration import DevResource

logger = logging.getLogger("msp.dev")

_Started = dict[str, StartedResource]
_OTHERS_START = 30.0  # seconds another process may need to start, or stop, a resource
_SILENCE = 1.0  # seconds of waiting for it after which that is logged
_POLL = 0.05


class DevResources:
    """Runs dev resources, all started at once, in a thread of its own.

    What runs beside it, a service or a test, has its own event loop or none. A context manager;
    `start` and `stop` may be called again and again, to play an outage: data and, as far as
    possible, ports stay.

    Args:
        resources: dev resource of each integration, by name.
        folder: each resource keeps its data in the subfolder of its name.
    """

    def __init__(self, resources: Mapping[str, DevResource], folder: Path) -> None:
        self._resources = resources
        self._folder = folder
        self._stop_asked = concurrent.futures.Future[None]()
        self._thread: threading.Thread | None = None
        self.variables: Mapping[str, StartedResource] = {}

    @property
    def environ(self) -> dict[str, str]:
        """The variables of all resources, with `MSP=false`; valid while they run."""
        merged = {"MSP": "false"}
        for variables in self.variables.values():
            merged |= variables
        return merged

    def start(self) -> None:
        """Start all resources and set `variables`, by name of the integration.

        One that another process runs in the folder is used instead.

        Raises:
            DevError: one could not start; the others are stopped again. Whatever else a dev
                resource raises passes through, too.
        """
        started = concurrent.futures.Future[_Started]()
        self._stop_asked = concurrent.futures.Future[None]()
        # A daemon: a second Ctrl-C leaves at once, the guards stop what is left.
        self._thread = threading.Thread(
            target=self._run, args=(started,), name="msp-dev", daemon=True
        )
        try:
            self._thread.start()
            self.variables = started.result()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop all resources; return when they have ended. Does nothing when none runs.

        Those that other processes use run on, until the last of them has left.
        """
        thread, self._thread = self._thread, None
        self._stop_asked.cancel()
        # One that was interrupted while it started, and is not alive yet, will find the request.
        if thread is not None and thread.is_alive():
            thread.join()

    @property
    def left_running(self) -> list[str]:
        """Names of the resources that other processes use; asked for after the stop."""
        return [name for name in self.variables if is_used(self._folder / name)]

    def forget(self) -> None:
        """Remove what the resources kept; none of them may be running.

        Raises:
            DevError: one of the folders is in use.
        """
        asyncio.run(self._forget_all())

    async def _forget_all(self) -> None:
        for name in self._resources:
            await forget_folder(self._folder / name)

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    def _run(self, started: concurrent.futures.Future[_Started]) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            try:
                asyncio.run(self._hold_all(started))
            except BaseException as error:
                if started.done():
                    raise
                started.set_exception(_first_of(error))

    async def _hold_all(self, started: concurrent.futures.Future[_Started]) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in a task
        self._stop_asked.add_done_callback(
            lambda _: loop.is_closed() or loop.call_soon_threadsafe(task.cancel)
        )
        async with asyncio.TaskGroup() as group:
            pending = {name: loop.create_future() for name in self._resources}
            for name, resource in self._resources.items():
                group.create_task(_hold(resource, self._folder / name, pending[name]))
            started.set_result({name: await future for name, future in pending.items()})


async def _hold(
    resource: DevResource,
    folder: Path,
    started: asyncio.Future[StartedResource],
) -> None:
    try:
        async with contextlib.AsyncExitStack() as use:
            started.set_result(await _join_or_start(resource, folder, use))
            await asyncio.Event().wait()
    except OSError as error:
        raise unusable(folder, error) from error


async def _join_or_start(
    resource: DevResource, folder: Path, use: contextlib.AsyncExitStack
) -> StartedResource:
    """Use the resource that runs in a folder; start it, for others too, where none does."""
    deadline = Deadline.after(_OTHERS_START)
    silence: Deadline | None = Deadline.after(_SILENCE)
    while True:
        running = use.enter_context(join_running(folder))
        if running is not None:
            return running
        try:
            started = StartedResource.of(await use.enter_async_context(resource(folder)))
        except FolderInUseError as error:  # by one that starts it, or stops it
            if not deadline.remaining():
                raise
            if silence is not None and not silence.remaining():
                silence = None  # once
                logger.warning(
                    "%s: waiting for %s, which starts or stops it, for %.0f s at most",
                    folder.name,
                    error.holder,
                    deadline.remaining(),
                )
            await asyncio.sleep(_POLL)
        else:
            publish(folder, started)
            return started


def _first_of(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
