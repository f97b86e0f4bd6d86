"""A process that is told to stop: buffered rows arrive, and a dead BigQuery keeps nobody."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from tests.msp_bigquery.rest_server import RestServer, written

SERVICE = """
import os, signal, time
from msp_bigquery import BigQuery
from msp_core import NoopRoutine, hookimpl, start


class Burst:
    name, version = "burst", "1.0.0"

    @hookimpl
    async def msp_initialize(self, contract):
        buffered = contract[BigQuery].table_writer("t").buffered(interval=3600)
        began = time.monotonic()
        await buffered.write(*({"n": n} for n in range(1300)))
        print(time.monotonic() - began, flush=True)
        os.kill(os.getpid(), signal.SIGTERM)
        return NoopRoutine()


start(Burst(), plugins=("bigquery",))
"""


def service(url: str, folder: Path) -> subprocess.Popen[str]:
    """Start a service that writes rows and is told to stop at once."""
    script = folder / "burst.py"
    script.write_text(SERVICE)
    ids = {"BIGQUERY_PROJECT_ID": "p", "BIGQUERY_DATASET_ID": "d", "BIGQUERY_EMULATOR_HOST": url}
    environ = os.environ | ids | {"PORT": "8080", "MSP_SHUTDOWN_BUDGET": "3s"}
    environ["SRC_LOG_FORMAT"] = "json"
    return subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, script],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_sigterm_right_after_a_burst_loses_no_row(tmp_path: Path) -> None:
    """Rows that wait in the buffer are sent before the process ends, in order and with 0."""
    with RestServer() as server:
        process = service(server.url, tmp_path)
        _, said = process.communicate(timeout=60)

    assert process.returncode == 0, said
    assert sorted(row["n"] for row in server.rows) == list(range(1300))


def test_a_hanging_bigquery_does_not_keep_the_process(tmp_path: Path) -> None:
    """The stop stays within the budget, and every row that is lost is counted in the log."""
    with RestServer() as server:
        server.answers[0] = server.hang
        process = service(server.url, tmp_path)
        _, said = process.communicate(timeout=60)

    assert process.returncode == 0, said
    assert "1300 rows were refused and are lost" in said
    assert "not known to be written when the service stopped" in said


async def test_writing_stays_fast_whatever_bigquery_does(tmp_path: Path) -> None:
    """Rows are taken at the same pace whether BigQuery answers or hangs."""
    paces = []
    for answer in ("hang", "written"):
        with RestServer() as server:
            server.answers[0] = server.hang if answer == "hang" else written
            process = service(server.url, tmp_path)
            out, _ = await asyncio.to_thread(process.communicate, timeout=60)
            paces.append(float(out))

    assert paces[0] < paces[1] + 1.0
