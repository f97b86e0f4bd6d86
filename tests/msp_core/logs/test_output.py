"""Bytes reach the reader whole, whatever kind of stream there is."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import pytest

from msp_core._logs.output import output_to


def test_non_blocking_pipe_is_waited_for() -> None:
    """A full pipe that somebody made non-blocking costs time, not lines."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    data = b"x" * 1_000_000
    with os.fdopen(reading, "rb") as reader, os.fdopen(writing, "w") as stream:
        thread = threading.Thread(target=output_to(stream), args=(data,))
        thread.start()
        received = reader.read(len(data))
        thread.join()

    assert received == data


def test_gone_reader_is_an_error() -> None:
    """A pipe that nobody reads is reported to the writer, which decides."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream, pytest.raises(BrokenPipeError):
        output_to(stream)(b"x\n")


def test_file(tmp_path: Path) -> None:
    """A file is written past its buffer."""
    path = tmp_path / "log"
    with path.open("w") as stream:
        output_to(stream)(b"x\n")
        text = path.read_text()

    assert text == "x\n"


def test_stream_without_descriptor() -> None:
    """A stream in memory is written as a stream."""
    stream = io.StringIO()
    output_to(stream)("ö\n".encode())

    assert stream.getvalue() == "ö\n"


def test_no_stream() -> None:
    """A process without a stderr logs into nothing; descriptor 2 may be somebody's file."""
    output_to(None)(b"x\n")
