"""Workers: threads of the plugin's own, few and never in the way."""

from __future__ import annotations

import contextvars
import threading

import pytest

from msp_bigquery._delivery.workers import Workers

WHO = contextvars.ContextVar("who", default="nobody")


def test_runs_with_the_caller_s_context() -> None:
    """Traces and request ids reach what is done on a request's behalf."""
    workers = Workers(2)
    WHO.set("caller")
    future = workers.submit(WHO.get)

    assert future.result(10) == "caller"

    workers.close()


def test_starts_no_more_threads_than_it_may() -> None:
    """Jobs wait in line behind those that hang; one that is cancelled meanwhile never runs."""
    workers, release, ran = Workers(2), threading.Event(), list[int]()
    hanging = [workers.submit(release.wait, 10) for _ in range(2)]
    waiting, cancelled = workers.submit(ran.append, 1), workers.submit(ran.append, 2)
    cancelled.cancel()

    assert not waiting.done()

    release.set()
    waiting.result(10)
    last = workers.submit(ran.append, 3)
    last.result(10)
    workers.close()

    assert all(one.result(10) for one in hanging)
    assert ran == [1, 3]


def test_threads_end_when_closed_and_keep_no_process_alive() -> None:
    """Each of them, once what it does is done."""
    workers, both = Workers(2), threading.Barrier(2)

    def meet() -> threading.Thread:
        both.wait(10)
        return threading.current_thread()

    threads = [future.result(10) for future in [workers.submit(meet), workers.submit(meet)]]
    workers.close()
    for thread in threads:
        thread.join(10)

    assert {thread.name for thread in threads} == {"msp-bigquery-1", "msp-bigquery-2"}
    assert [(thread.daemon, thread.is_alive()) for thread in threads] == [(True, False)] * 2


def test_an_error_belongs_to_whoever_waits() -> None:
    """The thread goes on."""
    workers = Workers(1)
    with pytest.raises(ValueError, match="invalid literal"):
        workers.submit(int, "x").result(10)

    assert workers.submit(int, "7").result(10) == 7

    workers.close()


def test_whoever_comes_after_closing_gets_an_answer() -> None:
    """A late call must fail or succeed, not wait for threads that have ended."""
    workers = Workers(1)
    workers.submit(int).result(10)
    workers.close()

    assert workers.submit(int, "7").result(10) == 7

    workers.close()
