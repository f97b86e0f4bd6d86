"""Ports of dev servers are free, and the same on every run where possible."""

from __future__ import annotations

import socket

import pytest

from msp_core.dev import _ports as _dev_ports
from msp_core.dev import answers, free_port


def test_port_can_be_listened_on() -> None:
    """The port is free."""
    with socket.create_server(("127.0.0.1", free_port())):
        pass


def test_prefers_the_port_of_the_last_run() -> None:
    """A client of the last run finds the server again."""
    last = free_port()

    assert free_port(last) == last


def test_leaves_a_taken_port_alone() -> None:
    """A port that somebody else took in the meantime is not forced."""
    last = free_port()
    with socket.create_server(("127.0.0.1", last)):
        assert free_port(last) != last


def test_gives_up_when_no_port_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search ends, and says where it looked."""
    taken = free_port()
    monkeypatch.setattr(_dev_ports, "_FIRST", taken)
    monkeypatch.setattr(_dev_ports, "_LAST", taken)

    with (
        socket.create_server(("127.0.0.1", taken)),
        pytest.raises(OSError, match=f"no free port found on 127.0.0.1 between {taken}"),
    ):
        free_port()


async def test_answers_when_every_port_takes_connections() -> None:
    """A server of two ports is ready with the second one."""
    port = free_port()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ready = answers(listening.getsockname()[1], port)
        with pytest.raises(ConnectionRefusedError):
            await ready()
        with socket.create_server(("127.0.0.1", port)):
            await ready()
