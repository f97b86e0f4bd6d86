"""Requests that need nothing: what the server and the runtime cost."""

from __future__ import annotations

from benchmarks.measures import latency, throughput
from benchmarks.row import Contender, Row
from benchmarks.rows.services import FOUR, TWO, by_hand, ours
from benchmarks.service import Service

BARE = Service(script="services/bare.py")
QUIET = {"SRC_LOG_SCOPE_LEVEL": "msp.http.access=none"}
HELLO = Service(script="services/hello.py")
HELLO_QUIET = Service(script="services/hello.py", environ=QUIET)
# Requests a second that services with telemetry bear without falling behind.
SLOW_RATE = 300.0
TELEMETRY = ("opentelemetry", "sentry")
TRACED = Service(script="services/hello_traced.py", servers=TELEMETRY)
INSTRUMENTED = Service(script="services/instrumented.py", servers=TELEMETRY)
LOGGED = Service(script="services/bare_logged.py")

ROWS = (
    Row(
        name="hello",
        title="hello, access log off",
        against="bare uvicorn, httptools, uvloop",
        unit="requests/s",
        better="more",
        must=0.85,
        aim=0.95,
        subject=Contender(title="on the runtime", opening=throughput(HELLO_QUIET)),
        references=(Contender(title="bare uvicorn", opening=throughput(BARE)),),
    ),
    Row(
        name="hello-logged",
        title="hello, JSON access log on",
        against="the same with structlog + orjson access log",
        unit="requests/s",
        better="more",
        must=1.0,
        aim=1.5,
        subject=Contender(title="on the runtime", opening=throughput(HELLO)),
        references=(Contender(title="structlog + orjson", opening=throughput(LOGGED)),),
    ),
    Row(
        name="hello-traced",
        title="hello, traced, metrics, Sentry, JSON access log",
        against="uvicorn + Starlette + the OpenTelemetry and Sentry instrumentation packages",
        unit="requests/s",
        better="more",
        must=1.5,
        aim=2.5,
        subject=Contender(title="on the runtime", opening=throughput(TRACED)),
        references=(Contender(title="instrumentation packages", opening=throughput(INSTRUMENTED)),),
    ),
    Row(
        name="p99",
        title="p99 under the same steady load, hello, access log off",
        against="bare uvicorn, httptools, uvloop",
        unit="ms",
        better="less",
        must=1.2,
        aim=1.1,
        subject=Contender(title="on the runtime", opening=latency(HELLO_QUIET)),
        references=(Contender(title="bare uvicorn", opening=latency(BARE)),),
        turns=15,
    ),
    Row(
        name="p99-traced",
        title="p99 under a steady load, traced, metrics, Sentry, JSON log",
        against="the instrumentation packages",
        unit="ms",
        better="less",
        subject=Contender(title="on the runtime", opening=latency(TRACED, SLOW_RATE)),
        references=(
            Contender(title="instrumentation packages", opening=latency(INSTRUMENTED, SLOW_RATE)),
        ),
    ),
    Row(
        name="queries-logged",
        title="SELECT + INCR, JSON access log",
        against="by hand, access log of uvicorn",
        unit="requests/s",
        better="more",
        subject=Contender(title="on the runtime", opening=throughput(ours(*TWO))),
        references=(Contender(title="by hand", opening=throughput(by_hand(*TWO))),),
    ),
    Row(
        name="queries-traced",
        title="SELECT + INCR, traced, metrics, Sentry, JSON access log",
        against="by hand with the instrumentation packages",
        unit="requests/s",
        better="more",
        subject=Contender(title="on the runtime", opening=throughput(ours(*FOUR))),
        references=(Contender(title="by hand", opening=throughput(by_hand(*FOUR))),),
    ),
)
