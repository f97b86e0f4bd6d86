"""A real WSGI server with the page's Flask application, on real PostgreSQL and Redis."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx
import psycopg
import pytest
import redis

from msp_core.dev import free_port
from tests.documentation import blocks, wait_ready

PAGE = Path("docs/howto/without-asyncio.md")

# Seconds; only reached when something is broken.
PATIENCE = 60.0

# A pool of the parent's own: what it asked for before the fork is not the workers' business.
PRELOADED = """
contract[CloudSQL].sync_pool("primary").wait()
contract[Redis].sync_client().ping()
"""

CONFIGURED = """
preload_app = True

def on_exit(server):
    from guestbook import stack

    stack.close()
"""


def connections(environ: Mapping[str, str]) -> int:
    """Return how many connections the service has to PostgreSQL."""
    dsn = environ["PGDSN"].replace("{{ .Database }}", "postgres")
    with psycopg.connect(dsn) as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'guestbook'"
        row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


@pytest.mark.parametrize("preload", [False, True], ids=["each worker opens", "preloaded"])
def test_flask_under_gunicorn(
    tmp_path: Path,
    postgresql_environ: Mapping[str, str],
    redis_environ: Mapping[str, str],
    preload: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Workers answer requests and probes, and leave nothing open; whoever opened the contract."""
    for block in blocks(PAGE):
        if block.file is not None:
            (tmp_path / block.file).write_text(block.text)
    if preload:
        with (tmp_path / "guestbook.py").open("a") as code:
            code.write(PRELOADED)
        with (tmp_path / "gunicorn.conf.py").open("a") as code:
            code.write(CONFIGURED)
    port = free_port()
    environ = {**postgresql_environ, **redis_environ, "PORT": str(port)}
    environ |= {"DIAGNOSTICS_SECRET": "s3cret"}
    with redis.Redis.from_url(redis_environ["REDIS_ENDPOINT"]) as client:
        client.delete("visits")
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "guestbook:app"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], **environ},
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_ready(port, process)
    address = f"http://127.0.0.1:{port}"
    answers = [httpx.get(address).json()["visits"] for _ in range(6)]
    health = httpx.get(f"{address}/-/health", headers={"authorization": "Bearer s3cret"}).json()
    opened = connections(postgresql_environ)
    process.send_signal(signal.SIGTERM)
    log = process.communicate(timeout=PATIENCE)[1]

    assert process.returncode == 0, log
    assert answers == [1, 2, 3, 4, 5, 6]
    assert health["status"] == "ok"
    assert {check["name"] for check in health["checks"]} == {"cloudsql", "redis"}
    assert opened > 0
    assert "Traceback" not in log
    assert "never" not in log
    assert "destroyed" not in log
    assert connections(postgresql_environ) == 0
