"""SpanQueueConfig: how many spans may wait, and how long."""

from __future__ import annotations

import attrs

from msp_opentelemetry._lenient import above_zero, lenient


@attrs.frozen(kw_only=True, eq=False)
class SpanQueueConfig:
    """Spans that wait to be sent.

    Attributes:
        delay: between two exports, milliseconds. From `OTEL_BSP_SCHEDULE_DELAY`; None for 5000, and
            200 on a laptop.
        size: spans that wait at most; the oldest are dropped. From `OTEL_BSP_MAX_QUEUE_SIZE`,
            default 2048.
        batch: spans of one export at most; never more than `size`. From
            `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`, default 512.
    """

    delay: int | None = lenient(
        "OTEL_BSP_SCHEDULE_DELAY",
        default=None,
        help="between two exports of spans, in milliseconds; default 5000, and 200 on a laptop",
        validator=above_zero,
    )
    size: int = lenient(
        "OTEL_BSP_MAX_QUEUE_SIZE",
        default=2048,
        help="spans that wait to be sent at most; the oldest are dropped",
        validator=above_zero,
    )
    batch: int = lenient(
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
        default=512,
        help="spans of one export at most",
        validator=above_zero,
    )
