"""A service on a laptop finds a port; one that is asked for is taken or refused."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from msp_core.dev import free_port
from msp_core.errors import PortError
from msp_dev import _port
from msp_dev._port import choose_port


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Give a port that is in use, in place of 8080."""
    with socket.create_server(("", 0)) as other:
        monkeypatch.setattr(_port, "FIRST", other.getsockname()[1])
        yield other.getsockname()[1]


def test_default() -> None:
    """Nobody has to choose."""
    assert _port.FIRST == 8080


def test_free_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default is taken where it can be had, without a word."""
    port = free_port()
    monkeypatch.setattr(_port, "FIRST", port)

    assert choose_port(None, {"HOME": "here"}) == ({"HOME": "here", "PORT": str(port)}, "")


def test_next_one(taken: int) -> None:
    """Another program on the default port is no reason not to start; who has it is said."""
    environ, said = choose_port(None, {})
    found = int(environ["PORT"])

    assert found > taken
    assert said.startswith(f"port {taken} is in use by ")
    assert said.endswith(f": listening on {found} instead")


@pytest.mark.parametrize("by_argument", [True, False])
def test_one_that_was_asked_for(taken: int, by_argument: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """It is refused, not replaced, before anything starts."""
    asked, environ = (taken, {"PORT": "9"}) if by_argument else (None, {"PORT": str(taken)})

    with pytest.raises(PortError, match=f"port {taken} is in use"):
        choose_port(asked, environ)


@pytest.mark.parametrize("by_argument", [True, False])
def test_one_that_is_shared(monkeypatch: pytest.MonkeyPatch, by_argument: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """One that was asked for may be shared; by default nobody is sent to another's port."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("", 0))
        other.listen()
        port = other.getsockname()[1]
        monkeypatch.setattr(_port, "FIRST", port)
        asked, environ = (port, {}) if by_argument else (None, {"PORT": str(port)})

        assert choose_port(asked, environ) == ({"PORT": str(port)}, "")
        assert int(choose_port(None, {})[0]["PORT"]) > port


def test_argument_wins() -> None:
    """It takes the place of the variable."""
    port = free_port()

    assert choose_port(port, {"PORT": "9"}) == ({"PORT": str(port)}, "")


@pytest.mark.parametrize("value", ["http", "99999999"])
def test_what_is_no_port_is_left_to_the_report(value: str) -> None:
    """All problems of the variables are told at once."""
    assert choose_port(None, {"PORT": value}) == ({"PORT": value}, "")
