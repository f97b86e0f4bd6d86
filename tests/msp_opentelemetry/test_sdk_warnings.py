"""What OpenTelemetry logs itself: one warning per kind, no traceback."""

from __future__ import annotations

import logging

import pytest

from msp_opentelemetry._sdk.sdk_warnings import SDKWarnings, sdk_warnings


def record(
    name: str, text: str, *args: object, error: Exception | None = None
) -> logging.LogRecord:
    """Return a record of the SDK."""
    info = (type(error), error, None) if error else None
    return logging.LogRecord(name, logging.ERROR, "sdk.py", 1, text, args, info)


def test_one_outage_is_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    """All that follows from one is counted, and told with the next warning in five minutes."""
    now = 0.0
    handler = SDKWarnings(clock=lambda: now)
    handler.emit(record("opentelemetry.exporter.otlp.x", "Transient error %s", "refused"))
    handler.emit(record("opentelemetry.exporter.otlp.y", "Failed to export"))
    now = 299.75
    handler.emit(record("opentelemetry.sdk._shared_internal", "Queue full"))
    now = 300.0
    handler.emit(record("opentelemetry.exporter.otlp.y", "Failed again"))
    handler.emit(record("opentelemetry.exporter.otlp.y", "And again"))
    now = 600.0
    handler.emit(record("opentelemetry.exporter.otlp.y", "Still"))

    told = [(each.message, vars(each)["not_repeated"]) for each in caplog.records]
    assert told == [
        ("telemetry: Transient error refused", 0),
        ("telemetry: Failed again", 2),
        ("telemetry: Still", 1),
    ]


def test_misuse_is_told_beside_an_outage(caplog: pytest.LogCaptureFixture) -> None:
    """An outage does not hide another kind of trouble; an exception is one line."""
    handler = SDKWarnings()
    handler.emit(record("opentelemetry.exporter.x", "Failed"))
    handler.emit(record("opentelemetry.attributes", "Invalid type %s", "set"))
    handler.emit(record("opentelemetry.trace", "Boom\nmore", error=LookupError("inside")))

    assert caplog.messages == [
        "telemetry: Failed",
        "telemetry: Invalid type set",
        "telemetry: Boom (LookupError: inside)",
    ]
    assert [each.levelname for each in caplog.records] == ["WARNING"] * 3
    assert not any(each.exc_info for each in caplog.records)


def test_taken_over_and_given_back(caplog: pytest.LogCaptureFixture) -> None:
    """While telemetry is open the SDK's lines are ours; then they are as they were."""
    sdk = logging.getLogger("opentelemetry.sdk.trace")
    with sdk_warnings():
        sdk.info("nobody asked")
        sdk.warning("inside")
    sdk.warning("after")

    assert [(each.name, each.message) for each in caplog.records] == [
        ("msp.opentelemetry", "telemetry: inside"),
        ("opentelemetry.sdk.trace", "after"),
    ]
