"""PoolMetrics: how full pools are, and how long they let their users wait."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from msp_core.authoring import meter

if TYPE_CHECKING:  # not a requirement
    from opentelemetry.metrics import CallbackOptions, Histogram, Meter, Observation

POOL_NAME = "db.client.connection.pool.name"
_STATE = "db.client.connection.state"

# Bounds of the histogram's buckets, as the semantic conventions advise for durations: those of the
# SDK are made for milliseconds, and would put every wait below 5 s into one bucket.
_SECONDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)


class Pooled(Protocol):
    """What is read of a pool."""

    name: str

    @property
    def closed(self) -> bool: ...
    def get_stats(self) -> dict[str, int]: ...


class Pools(Protocol):
    """Where pools are."""

    def opened(self) -> Iterable[Pooled]: ...
    def sync_opened(self) -> Iterable[Pooled]: ...


@attrs.frozen(kw_only=True, eq=False)
class PoolMetrics:
    """Instruments of OpenTelemetry's API.

    Attributes:
        meter: makes them.
        wait_time: seconds until a pool gave a connection.
    """

    meter: Meter
    wait_time: Histogram

    def add_wait(self, pool: str, seconds: float) -> None:
        """Record how long somebody waited for a connection."""
        self.wait_time.record(seconds, {POOL_NAME: pool})

    def observe(self, pools: Pools) -> None:
        """Have the pools looked at whenever metrics are collected, as long as they exist."""
        known = weakref.ref(pools)
        for name, (key, unit, text) in _GAUGES.items():
            look = partial(_look, known, key)
            self.meter.create_observable_up_down_counter(name, [look], unit, text)
        look = partial(_look, known, _errors)
        self.meter.create_observable_counter(
            "db.client.connection.timeouts", [look], "{timeout}", "requests without a connection"
        )


def pool_metrics() -> PoolMetrics | None:
    """Return instruments, None when nobody in this process uses metrics of OpenTelemetry."""
    found = meter("msp.cloudsql")
    if found is None:
        return None
    wait_time = found.create_histogram(
        "db.client.connection.wait_time",
        "s",
        "time until a pool gave a connection",
        explicit_bucket_boundaries_advisory=_SECONDS,
    )
    return PoolMetrics(meter=found, wait_time=wait_time)


def _count(stats: Mapping[str, int]) -> Iterator[tuple[int, dict[str, str]]]:
    yield stats["pool_available"], {_STATE: "idle"}
    yield stats["pool_size"] - stats["pool_available"], {_STATE: "used"}


def _max(stats: Mapping[str, int]) -> Iterator[tuple[int, dict[str, str]]]:
    yield stats["pool_max"], {}


def _pending(stats: Mapping[str, int]) -> Iterator[tuple[int, dict[str, str]]]:
    yield stats["requests_waiting"], {}


def _errors(stats: Mapping[str, int]) -> Iterator[tuple[int, dict[str, str]]]:
    yield stats.get("requests_errors", 0), {}


_GAUGES: dict[str, tuple[Any, str, str]] = {
    "db.client.connection.count": (_count, "{connection}", "connections of a pool, by state"),
    "db.client.connection.max": (_max, "{connection}", "most connections a pool may have"),
    "db.client.connection.pending_requests": (
        _pending,
        "{request}",
        "those who wait for a connection",
    ),
}


def _look(known: Any, read: Any, _: CallbackOptions) -> Iterator[Observation]:  # noqa: ANN401 - a weak reference, and one of the above
    from opentelemetry.metrics import Observation  # noqa: PLC0415 - imported already

    pools: Pools | None = known()
    for pool in (*pools.opened(), *pools.sync_opened()) if pools else ():
        for value, more in () if pool.closed else read(pool.get_stats()):
            yield Observation(value, {POOL_NAME: pool.name, **more})
