"""PerProcess: one value for each key and process, through threads, forks and the close."""

from __future__ import annotations

import itertools
import signal
import threading
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from msp_core.authoring import PerProcess
from msp_core.errors import UsageError
from tests.forked import in_child


class Client:
    """A client; one is another than the next."""

    def __init__(self, name: str = "", size: int = 1) -> None:
        self.name = name
        self.size = size


def test_makes_one_on_the_first_call() -> None:
    """Nothing is made before it is asked for, and nothing twice."""
    clients = PerProcess(Client)

    assert clients.made() == ()
    assert clients.get() is clients.get()
    assert clients.made() == (clients.get(),)


def test_makes_one_for_each_key() -> None:
    """Those that were made are told in their order; options are those of the first call."""
    clients = PerProcess(Client)
    second, first = clients.get("b", size=3), clients.get("a")

    assert (first.name, first.size, second.name, second.size) == ("a", 1, "b", 3)
    assert clients.get("b", size=7) is second
    assert clients.made() == (second, first)


def test_many_threads_make_one() -> None:
    """Whoever comes while one is made waits for it."""
    numbers = itertools.count()
    all_there = threading.Barrier(8)
    clients = PerProcess(lambda: next(numbers))

    def ask(_: int) -> int:
        all_there.wait(30)
        return clients.get()

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(ask, range(8))) == {0}


def test_a_failure_is_not_kept() -> None:
    """The next call tries again."""
    answers = iter([False, True])

    def make() -> Client:
        if not next(answers):
            raise OSError
        return Client()

    clients = PerProcess(make)
    with pytest.raises(OSError):  # noqa: PT011 - the one raised above
        clients.get()

    assert isinstance(clients.get(), Client)


def test_one_value_may_need_another() -> None:
    """What makes one may ask for another key."""

    def make(name: str) -> Client:
        return clients.get("credentials") if name != "credentials" else Client(name)

    clients: PerProcess[[str], Client] = PerProcess(make)

    assert clients.get("client") is clients.get("credentials")


def test_a_child_makes_its_own() -> None:
    """It shares no socket, and neither closes nor forgets its parent's."""
    clients = PerProcess(Client)
    parents = clients.get()

    def child() -> None:
        assert clients.made() == ()
        assert clients.get() is not parents
        assert clients.close() == (clients.made())
        assert parents not in clients.made()

    in_child(child)
    assert clients.get() is parents


def test_a_child_of_a_fork_in_between_does_not_wait() -> None:
    """Another thread of the parent was making one: in the child it never ends."""
    begun, going = threading.Event(), threading.Event()
    slow = True

    def make() -> Client:
        if slow:
            begun.set()
            going.wait(30)
        return Client()

    clients = PerProcess(make)
    other = threading.Thread(target=clients.get)
    other.start()
    begun.wait(30)
    slow = False

    def child() -> None:
        signal.alarm(10)  # ends a child that waits for ever
        clients.get()

    in_child(child)
    going.set()
    other.join(30)

    assert len(clients.made()) == 1


def test_nothing_is_made_after_closing() -> None:
    """What was made is given back, to be closed, again and again; asking raises."""
    clients = PerProcess(Client)
    client = clients.get()

    assert clients.close() == (client,)
    assert clients.close() == clients.made() == (client,)
    with pytest.raises(UsageError, match="is closed: the service has stopped"):
        clients.get()


def test_closing_waits_for_what_is_being_made() -> None:
    """So that nothing is left open."""
    begun, going = threading.Event(), threading.Event()

    def make() -> Client:
        begun.set()
        going.wait(30)
        return Client()

    clients = PerProcess(make)
    with ThreadPoolExecutor(2) as threads:
        asked = threads.submit(clients.get)
        begun.wait(30)
        closed = threads.submit(clients.close)
        assert not wait([closed], 0.05).done
        going.set()

        assert closed.result(30) == (asked.result(30),)


def test_the_error_is_chosen() -> None:
    """What a client's users know how to catch."""
    clients = PerProcess(Client, closed=lambda: ConnectionError("closed"))
    clients.close()

    with pytest.raises(ConnectionError, match="closed"):
        clients.get()


def test_a_child_of_what_is_closed_makes_nothing() -> None:
    """The service has stopped there, too."""
    clients = PerProcess(Client)
    clients.close()

    def child() -> None:
        with pytest.raises(UsageError):
            clients.get()

    in_child(child)
