"""The services that several rows measure: one SELECT and one INCR, ours, by hand, on others."""

from __future__ import annotations

from benchmarks.ground import FOLDER
from benchmarks.service import Service

TWO = ("cloudsql", "redis")
FOUR = (*TWO, "sentry", "opentelemetry")
FIVE = (*FOUR, "bigquery")


def ours(*plugins: str) -> Service:
    """Return the service on the runtime with those plugins, all of which have a server."""
    return Service(script="services/on_the_runtime.py", arguments=plugins, servers=plugins)


def by_hand(*servers: str) -> Service:
    """Return the same with the same libraries, imported and opened eagerly, no runtime."""
    return Service(script="services/by_hand.py", servers=servers)


# Scripts by name of the environment and of the other runtime.
PEERS = {
    "microbootstrap": "peers/on_microbootstrap.py",
    "lite-bootstrap": "peers/on_lite_bootstrap.py",
    "aiomisc": "peers/on_aiomisc.py",
    "svcs": "peers/on_svcs.py",
}


def peer(name: str, *servers: str) -> Service:
    """Return the same on another runtime, in its own environment."""
    python = FOLDER.parent / ".venv-peers" / name / "bin" / "python"
    servers = (*servers, "otlp-grpc") if name == "microbootstrap" else servers
    return Service(script=PEERS[name], servers=servers, python=str(python))
