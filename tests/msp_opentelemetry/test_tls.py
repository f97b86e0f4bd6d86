"""TLS files of the variables, against servers that ask for a client's certificate."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import grpc
import pytest
from opentelemetry import trace

from tests.msp_opentelemetry.collector import Collector
from tests.msp_opentelemetry.conftest import Opened
from tests.msp_opentelemetry.endpoint import Endpoint
from tests.msp_redis.authority import Authority

HOST = "127.0.0.1"


@attrs.frozen
class Guarded:
    """A receiver that lets nobody in without a certificate of its authority.

    Attributes:
        environ: variables that fit it.
        signals: () -> how many of the two signals have arrived.
    """

    environ: dict[str, str]
    signals: Callable[[], int]


@pytest.fixture
def authority() -> Authority:
    """Give the authority of the receiver and of its clients."""
    return Authority.make("authority of the tests")


@pytest.fixture
def files(tmp_path: Path, authority: Authority) -> dict[str, str]:
    """Give the variables that name a client's files."""
    key, certificate = authority.issue("client", HOST)
    contents = {
        "CERTIFICATE": authority.pem.encode(),
        "CLIENT_KEY": key,
        "CLIENT_CERTIFICATE": certificate,
    }
    for name, content in contents.items():
        (tmp_path / f"{name}.pem").write_bytes(content)
    return {f"OTEL_EXPORTER_OTLP_{name}": str(tmp_path / f"{name}.pem") for name in contents}


@pytest.fixture
def http(authority: Authority, files: dict[str, str], tmp_path: Path) -> Iterator[Guarded]:
    """Give a receiver of OTLP over HTTPS."""
    context = authority.server_context(HOST, tmp_path)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=authority.pem)
    with Endpoint(tls=context).serving() as endpoint:
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint.url, **files}
        yield Guarded(environ, lambda: len(set(endpoint.paths())))


@pytest.fixture
def grpc_server(authority: Authority, files: dict[str, str]) -> Iterator[Guarded]:
    """Give a receiver of OTLP over gRPC with TLS."""
    pairs = [authority.issue("server", HOST)]
    credentials = grpc.ssl_server_credentials(pairs, authority.pem.encode(), True)  # noqa: FBT003 - grpc's: asks for certificates
    with Collector().serving(credentials) as collector:
        environ = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"https://{HOST}:{collector.port}",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
            **files,
        }
        yield Guarded(environ, lambda: bool(collector.spans) + bool(collector.metrics))


@pytest.fixture(params=["http", "grpc_server"])
def guarded(request: pytest.FixtureRequest) -> Guarded:
    """Give a receiver of each protocol."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Guarded)

    return found


async def send(opened: Opened, environ: dict[str, str]) -> None:
    """Open and close telemetry with a span and metrics."""
    async with opened(OTEL_EXPORTER_OTLP_TIMEOUT="1000", **environ):
        trace.get_tracer("probe").start_span("span").end()


async def test_files_that_fit(opened: Opened, guarded: Guarded) -> None:
    """With the authority's certificate and one of the client's own, telemetry arrives."""
    await send(opened, guarded.environ)

    assert guarded.signals() == 2


async def test_authorities_of_the_machine(
    opened: Opened, guarded: Guarded, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The file that the variable names wins over the bundles of a machine."""
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(Authority.make("authority of the machine").pem)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(bundle))
    await send(opened, guarded.environ)

    assert guarded.signals() == 2


@pytest.mark.parametrize("missing", [("CLIENT_KEY", "CLIENT_CERTIFICATE"), ("CERTIFICATE",)])
async def test_files_that_are_missing(
    opened: Opened, guarded: Guarded, missing: tuple[str, ...]
) -> None:
    """Without a certificate the receiver lets nobody in; a foreign receiver is not trusted."""
    for name in missing:
        del guarded.environ[f"OTEL_EXPORTER_OTLP_{name}"]
    await send(opened, guarded.environ)

    assert guarded.signals() == 0


async def test_authority_of_somebody_else(opened: Opened, guarded: Guarded, tmp_path: Path) -> None:
    """A receiver whose certificate another authority has signed gets nothing."""
    other = tmp_path / "other.pem"
    other.write_text(Authority.make("other authority of the tests").pem)
    await send(opened, {**guarded.environ, "OTEL_EXPORTER_OTLP_CERTIFICATE": str(other)})

    assert guarded.signals() == 0


async def test_files_of_one_signal(opened: Opened, guarded: Guarded) -> None:
    """Files that are named for traces alone are for traces alone."""
    environ = {
        name.replace("OTLP_C", "OTLP_TRACES_C"): value for name, value in guarded.environ.items()
    }
    await send(opened, environ)

    assert guarded.signals() == 1
