"""Logs: the process's log lines, from any library, in one format, on one stream."""

from __future__ import annotations

import atexit
import logging
import sys
from collections.abc import Callable, Iterable
from typing import TextIO

import attrs

from msp_core._logs.capture import capture
from msp_core._logs.config import LogConfig
from msp_core._logs.console import ConsoleFormat
from msp_core._logs.fields import RESERVED, Collect, Fields
from msp_core._logs.gcp import GCPFormat
from msp_core._logs.levels import set_levels, take_root
from msp_core._logs.otel import OTelFormat
from msp_core._logs.output import output_to
from msp_core._logs.pipeline import Pipeline
from msp_core._logs.sampling import Sampling
from msp_core._logs.scrub import Scrubber
from msp_core._logs.writer import Writer
from msp_core.contract import Origin
from msp_core.integration import LogProcessor
from msp_core.platforms import Platform

logger = logging.getLogger("msp.logs")


@attrs.frozen(kw_only=True, eq=False)
class Logs:
    """What was set up by `configure`; safe to use from any thread."""

    _fields: Fields = attrs.field(alias="fields")
    _scrubber: Scrubber = attrs.field(alias="scrubber")
    _writer: Writer = attrs.field(alias="writer")
    _emergency: Pipeline = attrs.field(alias="emergency")
    _restore: tuple[Callable[[], None], ...] = attrs.field(alias="restore")

    def add_processor(self, processor: LogProcessor) -> None:
        """Let the processor add fields to every record from now on.

        What it raises is reported once; the line is written without its fields.
        """
        self._fields.add_processor(processor)

    def add_secrets(self, secrets: Iterable[str]) -> None:
        """Hide these texts in every line from now on; shorter than four characters are not."""
        self._scrubber.add(secrets)

    def scrub(self, text: str) -> str:
        """Return the text with every known secret replaced by `***`."""
        return self._scrubber.text(text)

    def emergency(self, message: str, *, scope: str = "msp", **fields: object) -> None:
        """Log a critical line past `logging`, processors and every lock another thread may hold.

        For a thread that watches over one that hangs.

        Args:
            message: written as it is.
            scope: name of the logger the line appears under.
            fields: of the line; names that a `LogRecord` has itself are left out.
        """
        record = logging.LogRecord(scope, logging.CRITICAL, __file__, 0, message, None, None)
        record.__dict__.update({key: fields[key] for key in fields.keys() - RESERVED})
        self._emergency.emit(record)

    def flush(self, timeout: float) -> bool:
        """Wait until all lines logged so far are written; never raises.

        Args:
            timeout: seconds to wait at most.

        Returns:
            Whether they all are: False when time ran out or the reader is gone.
        """
        return self._writer.flush(timeout)

    def close(self) -> None:
        """Write what waits, and put back the handlers, levels and hooks found by `configure`.

        Waits as long as the reader takes: call `flush` before, where time is short.
        """
        for restore in reversed(self._restore):
            restore()
        self._writer.close()
        atexit.unregister(self._writer.close)


def configure(
    config: LogConfig,
    *,
    origin: Origin,
    platform: Platform,
    project: str | None,
    stream: TextIO | None = None,
    colour: bool = False,
    watched: bool = False,
) -> Logs:
    """Send every log line of the process, and what Python would print itself, to one stream.

    Root handlers that write to stdout or stderr are set aside; others, such as a file's, stay.

    Args:
        config: levels and format.
        origin: who writes the lines.
        platform: chooses the format where none is configured.
        project: the Google Cloud project that holds its traces; None when unknown.
        stream: where to; default stderr.
        colour: whether the console format colours its lines.
        watched: whether a person reads along, which chooses the format where none is configured.

    Returns:
        To be closed in the end; lines are written at exit in any case.
    """
    target = sys.stderr if stream is None else stream
    fields, scrubber = Fields(), Scrubber()
    writer = Writer(
        output_to(target),
        lambda lines: emergency.line_of_loss(lines),  # noqa: PLW0108 - made below, from the writer
    )
    pipeline = _pipelines(
        config.format_on(platform, watched=watched),
        origin,
        project,
        scrubber,
        writer,
        colour=colour,
        fold=config.root_level() > logging.DEBUG,
    )
    usual, emergency = pipeline(fields), pipeline(Fields())
    if config.sampled:
        usual.addFilter(Sampling(config.sampling_initial, config.sampling_thereafter))
    logs = Logs(
        fields=fields,
        scrubber=scrubber,
        writer=writer,
        emergency=emergency,
        restore=(
            take_root(usual),
            set_levels(config.root_level(), config.scopes()),
            capture(),
        ),
    )
    atexit.register(writer.close)
    for doubt in config.doubts():
        logger.warning(doubt)
    return logs


def _pipelines(
    format_name: str,
    origin: Origin,
    project: str | None,
    scrubber: Scrubber,
    writer: Writer,
    *,
    colour: bool,
    fold: bool,
) -> Callable[[Collect], Pipeline]:
    """Return what makes a pipeline of the format out of a way to collect fields."""

    def console(collect: Collect) -> Pipeline:
        return Pipeline(ConsoleFormat(collect, colour=colour, fold=fold), scrubber.text, writer)

    def lines(collect: Collect) -> Pipeline:
        shape = (
            GCPFormat(origin, project, collect)
            if format_name == "json_gcp"
            else OTelFormat(origin, collect)
        )
        return Pipeline(shape, scrubber.json, writer)

    return console if format_name == "console" else lines
