"""Which log lines become events, and what these say."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import sentry_sdk
from opentelemetry.sdk import trace as sdk_trace

from msp_core import RequestContext, current_request
from msp_core._logs.capture import capture, log_loop_exception
from msp_sentry import _outgoing
from msp_sentry._receiver.server import Receiver
from tests.msp_sentry.conftest import Open, raised

logger = logging.getLogger("guestbook.book")

Events = Callable[[], list[dict[str, Any]]]


async def test_event(opened: Open, events: Events) -> None:
    """An error that is logged with its exception is an event that says all that is known."""
    async with opened() as contract:
        try:
            raise LookupError("no such page")  # noqa: TRY301 - the traceback is looked at
        except LookupError:
            logger.exception("page %d", 7, extra={"page": 7, "password": "hunter2"})

    (event,) = events()
    assert event["release"] == "1.2.3"
    assert event["environment"] == "test"
    assert event["server_name"] == contract.instance_id
    assert event["level"] == "error"
    assert event["logger"] == "guestbook.book"
    assert event["logentry"] == {"message": "page %d", "formatted": "page 7"}
    assert event["tags"] == {
        "scope": "guestbook.book",
        "resource.service.name": "guestbook",
        "resource.service.version": "1.2.3",
        "resource.service.instance.id": contract.instance_id,
    }
    assert event["contexts"]["log"] == {"page": 7, "password": "[Filtered]"}
    (exception,) = event["exception"]["values"]
    assert (exception["type"], exception["value"]) == ("LookupError", "no such page")
    assert exception["mechanism"]["handled"] is True
    assert exception["stacktrace"]["frames"][-1]["function"] == "test_event"
    assert "vars" not in exception["stacktrace"]["frames"][-1]


async def test_what_is_no_event(opened: Open, events: Events) -> None:
    """Errors without an exception, and exceptions below level error, are log lines only."""
    async with opened():
        logger.error("no exception")
        logger.error("none either", exc_info=(None, None, None))
        logger.warning("not that bad", exc_info=raised(OSError()))

    assert events() == []


async def test_silenced_line(opened: Open, events: Events) -> None:
    """What the level of its logger keeps out of the log is no event either."""
    logger.setLevel(logging.CRITICAL)
    async with opened():
        logger.error("unheard", exc_info=raised(OSError()))
    logger.setLevel(logging.NOTSET)

    assert events() == []


async def test_after_close(opened: Open, events: Events) -> None:
    """Nothing is reported, and nothing of Sentry is left, once it is closed."""
    before = logging.getLogger().handlers[:]
    async with opened():
        assert sentry_sdk.is_initialized()
    logger.error("late", exc_info=raised(OSError()))

    assert not sentry_sdk.is_initialized()
    assert logging.getLogger().handlers == before
    assert events() == []


async def test_client_of_somebody_else(opened: Open) -> None:
    """A client that the service has set meanwhile stays."""
    theirs = sentry_sdk.Client()
    async with opened():
        sentry_sdk.get_global_scope().set_client(theirs)

    assert sentry_sdk.get_client() is theirs


async def test_one_error_one_event(opened: Open, events: Events) -> None:
    """An exception logged where it was caught and again further out is reported once."""
    async with opened():
        error = raised(OSError("disk on fire"))
        logger.error("here", exc_info=error)
        logging.getLogger("elsewhere").error("and there", exc_info=error)
        sentry_sdk.capture_exception(error)

    (event,) = events()
    assert event["logger"] == "guestbook.book"


async def test_same_exception_later(
    opened: Open, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that raises one exception object again and again is not silenced for good."""
    now = [1000.0]
    monkeypatch.setattr(_outgoing, "time", SimpleNamespace(monotonic=lambda: now[0]))
    error = raised(OSError())
    async with opened():
        logger.error("first", exc_info=error)
        now[0] += 59.9
        logger.error("the same", exc_info=error)
        now[0] = 1060.0
        logger.error("second", exc_info=error)

    assert [event["logentry"]["message"] for event in events()] == ["first", "second"]


async def test_sdk_functions(opened: Open, events: Events) -> None:
    """What is given to the SDK itself is reported with the same tags, as its scope."""
    async with opened():
        sentry_sdk.capture_message("hello")
        sentry_sdk.set_tag("resource.service.name", "overridden")
        sentry_sdk.capture_message("world")

    first, second = events()
    assert first["tags"]["scope"] == "sentry"
    assert second["tags"]["resource.service.name"] == "overridden"


async def test_secrets(opened: Open, events: Events) -> None:
    """Secrets of the configuration are in no part of an event, however they got there."""
    async with opened(DIAGNOSTICS_SECRET="correct-horse", SENTRY_SAMPLE_RATE="1.0"):
        error = raised(ValueError("correct-horse"))
        logger.error("%s", "correct-horse", exc_info=error, extra={"tried": ["correct-horse", 1]})

    (event,) = events()
    assert "correct-horse" not in str(event)
    assert event["exception"]["values"][0]["value"] == "***"
    assert event["contexts"]["log"]["tried"] == ["***", 1]


async def test_secret_that_equals_structure(opened: Open, events: Events) -> None:
    """A secret that happens to be a word of the protocol does not break the event."""
    async with opened(DIAGNOSTICS_SECRET="error"):
        logger.error("an error", exc_info=raised(ValueError()))

    (event,) = events()
    assert event["level"] == "error"
    assert event["logentry"]["formatted"] == "an ***"


async def test_request(opened: Open, events: Events) -> None:
    """An event of a request names the trace and the request that the log lines name."""
    request = RequestContext(request_id="r1", trace_id="a" * 32, span_id="b" * 16)
    async with opened():
        token = current_request.set(request)
        logger.error("in it", exc_info=raised(ValueError()))
        current_request.set(RequestContext(request_id="r2"))
        logger.error("in one without a trace", exc_info=raised(ValueError()))
        current_request.reset(token)

    first, second = events()
    assert first["contexts"]["trace"] == {"trace_id": "a" * 32, "span_id": "b" * 16}
    assert first["contexts"]["log"] == {"request_id": "r1"}
    assert len(second["contexts"]["trace"]["trace_id"]) == 32
    assert second["contexts"]["log"] == {"request_id": "r2"}


async def test_opentelemetry(opened: Open, events: Events, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenTelemetry's current span wins, when there is one."""
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", sdk_trace)
    tracer = sdk_trace.TracerProvider(shutdown_on_exit=False).get_tracer("probe")
    request = RequestContext(request_id="r1", trace_id="a" * 32, span_id="b" * 16)
    async with opened():
        token = current_request.set(request)
        with tracer.start_as_current_span("span") as span:
            logger.error("in a span", exc_info=raised(ValueError()))
        logger.error("outside", exc_info=raised(ValueError()))
        current_request.reset(token)

    first, second = events()
    context = span.get_span_context()
    assert first["contexts"]["trace"] == {
        "trace_id": f"{context.trace_id:032x}",
        "span_id": f"{context.span_id:016x}",
    }
    assert second["contexts"]["trace"] == {"trace_id": "a" * 32, "span_id": "b" * 16}


async def test_uncaught_in_thread(opened: Open, events: Events) -> None:
    """What nobody catches in a thread is one event, marked as such."""
    restore = capture()
    async with opened():
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()
    restore()

    (event,) = events()
    assert event["logger"] == "msp.uncaught"
    assert event["exception"]["values"][0]["type"] == "ZeroDivisionError"
    assert event["exception"]["values"][0]["mechanism"]["handled"] is False


async def test_uncaught_in_main_thread(opened: Open, events: Events) -> None:
    """What ends the process is fatal."""
    restore = capture()
    async with opened():
        error = raised(OSError())
        sys.excepthook(OSError, error, error.__traceback__)
    restore()

    (event,) = events()
    assert event["level"] == "fatal"


async def test_uncaught_in_task(opened: Open, events: Events) -> None:
    """What nobody awaits is one event."""
    async with opened():
        asyncio.get_running_loop().set_exception_handler(log_loop_exception)
        done = asyncio.get_running_loop().create_future()
        done.set_exception(raised(OSError("nobody looked")))
        del done

    (event,) = events()
    assert event["logger"] == "asyncio"
    assert event["exception"]["values"][0]["value"] == "nobody looked"


async def test_logging_while_reporting(opened: Open, events: Events) -> None:
    """A field whose repr logs an error does not make events without end."""

    class Talkative:
        def __repr__(self) -> str:
            logger.error("asked", exc_info=raised(OSError()))
            return "talkative"

    async with opened():
        logger.error("outer", exc_info=raised(ValueError()), extra={"field": Talkative()})

    (event,) = events()
    assert event["contexts"]["log"] == {"field": "talkative"}


async def test_logging_while_a_record_is_formatted(opened: Open, events: Events) -> None:
    """Nor does an argument whose text logs an error."""

    class Talkative:
        def __str__(self) -> str:
            logger.error("asked", exc_info=raised(OSError()))
            return "talkative"

    async with opened():
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "to %s", (Talkative(),), None)
        record.exc_info = (ValueError, ValueError(), None)
        logging.getLogger().handlers[-1].handle(record)

    (event,) = events()
    assert event["logentry"]["formatted"] == "to talkative"


async def test_breadcrumbs(opened: Open, events: Events) -> None:
    """An event has the last 50 of what the service noted on its way there."""
    async with opened():
        for number in range(60):
            sentry_sdk.add_breadcrumb(message=str(number))
        logger.error("x", exc_info=raised(ValueError()))

    (event,) = events()
    noted = [each["message"] for each in event["breadcrumbs"]["values"]]
    assert noted == [str(number) for number in range(10, 60)]


async def test_record_that_cannot_be_formatted(opened: Open, events: Events) -> None:
    """A record whose arguments do not fit costs its event, and nothing else."""
    async with opened():
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "%d", ("a",), None)
        record.exc_info = (ValueError, ValueError(), None)
        logging.getLogger().handlers[-1].handle(record)
        logger.error("good", exc_info=raised(ValueError()))

    assert [event["logentry"]["message"] for event in events()] == ["good"]


async def test_filter(opened: Open, events: Events) -> None:
    """A filter of the handler may drop a record."""
    async with opened():
        (handler,) = [each for each in logging.getLogger().handlers if hasattr(each, "_named")]
        handler.addFilter(lambda record: record.name != "noise")
        logging.getLogger("noise").error("x", exc_info=raised(ValueError()))

    assert events() == []


async def test_sample_rate(opened: Open, events: Events) -> None:
    """Only the share that was asked for is reported."""
    async with opened(SENTRY_SAMPLE_RATE="0"):
        logger.error("unlucky", exc_info=raised(ValueError()))

    assert events() == []


async def test_check_in_by_the_sdk(opened: Open, receiver: Receiver) -> None:
    """A check-in that the service sends by the SDK itself passes unchanged."""
    async with opened():
        sentry_sdk.crons.capture_checkin(monitor_slug="nightly", status="ok")

    (check_in,) = receiver.kept.payloads("check_in")
    assert check_in["monitor_slug"] == "nightly"
    assert "tags" not in check_in
