"""Statements that would never end, or take all memory: each is stopped, and the rest goes on."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs
import duckdb
import httpx
import pytest
from google.api_core import exceptions
from google.cloud import bigquery

from msp_bigquery_emulator._jobs.control import Control
from msp_bigquery_emulator._jobs.jobs import Job, Jobs
from msp_bigquery_emulator._store.database import Database
from msp_bigquery_emulator.emulator import Emulator, Options
from tests.msp_bigquery_emulator.conftest import PROJECT, Rows, connect
from tests.msp_bigquery_emulator.test_command import Start, start  # noqa: F401 - a fixture

# A product of a million and a million rows: hours, and no memory.
ENDLESS = """
SELECT COUNT(*) AS n
FROM UNNEST(GENERATE_ARRAY(1, 1000000)) AS a, UNNEST(GENERATE_ARRAY(1, 1000000)) AS b
WHERE a * b = -1
"""
SHORT = "SELECT 1 AS n"


def wait_for(condition: Callable[[], bool]) -> bool:
    """Return whether something becomes true within a minute."""
    until = time.monotonic() + 60
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def test_cancel(client: bigquery.Client) -> None:
    """A running job is told as such, is stopped by jobs.cancel, and says so.

    https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/cancel
    """
    job = client.query(ENDLESS, job_retry=None)
    state = job.state
    job.cancel()
    with pytest.raises(exceptions.GoogleAPICallError, match="User requested cancellation"):
        job.result(job_retry=None, timeout=60)
    job.reload()

    assert (state, job.state) == ("RUNNING", "DONE")
    assert job.error_result is not None
    # https://cloud.google.com/bigquery/docs/error-messages#errortable
    assert job.error_result["reason"] == "stopped"


def test_cancelled_change(client: bigquery.Client, people: bigquery.Table, rows: Rows) -> None:
    """What a cancelled job did is rolled back, and others can write again."""
    job = client.query(f"INSERT INTO d.people (age) {ENDLESS}", job_retry=None)
    job.cancel()
    with pytest.raises(exceptions.GoogleAPICallError):
        job.result(job_retry=None, timeout=60)
    client.insert_rows_json(people, [{"name": "b"}])

    assert rows("SELECT name FROM people") == [("b",)]


def test_job_that_runs(client: bigquery.Client, rest: httpx.Client) -> None:
    """Who does not want to wait hears that it runs; it cannot be deleted meanwhile."""
    job = client.query(ENDLESS, job_id="mine", job_retry=None)
    body = rest.get("/queries/mine?timeoutMs=0").json()
    deleted = rest.delete("/jobs/mine/delete")
    listed = rest.get("/jobs").json()["jobs"][0]
    job.cancel()

    assert (body["jobComplete"], "rows" in body) == (False, False)
    assert (deleted.status_code, listed["state"]) == (400, "RUNNING")


@pytest.mark.parametrize("form", ["insert", "query"])
def test_time_out(rest: httpx.Client, form: str) -> None:
    """A job may take as long as its jobTimeoutMs says.

    https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobConfiguration
    """
    if form == "insert":
        configuration = {"query": {"query": ENDLESS, "useLegacySql": False}, "jobTimeoutMs": "100"}
        job = rest.post("/jobs", json={"configuration": configuration}, timeout=60).json()
        name = job["jobReference"]["jobId"]
        answer = rest.get(f"/queries/{name}?timeoutMs=60000", timeout=60)
    else:
        body = {"query": ENDLESS, "useLegacySql": False, "jobTimeoutMs": "100"}
        answer = rest.post("/queries", json=body | {"timeoutMs": 60000}, timeout=60)

    assert answer.status_code == 499
    assert "timed out" in answer.json()["error"]["message"]


def test_default_time_out(options: Options) -> None:
    """An emulator has a limit for all jobs, a job's own cannot exceed it; short ones are left."""
    options = attrs.evolve(options, query_timeout=0.5)
    with Emulator(options) as emulator, connect(emulator.http) as client:
        config = bigquery.QueryJobConfig(job_timeout_ms=3_600_000)
        with pytest.raises(exceptions.GoogleAPICallError, match="timed out"):
            client.query(ENDLESS, job_config=config, job_retry=None).result(job_retry=None)

        assert [row["n"] for row in client.query_and_wait(SHORT)] == [1]


def post(emulator: Emulator, path: str, body: dict[str, Any]) -> socket.socket:
    """Send a request and return its connection, unread."""
    port = urlsplit(emulator.http).port
    connection = socket.create_connection(("127.0.0.1", port or 0))
    content = json.dumps(body).encode()
    head = f"POST /projects/{PROJECT}{path} HTTP/1.1\r\nContent-Length: {len(content)}\r\n\r\n"
    connection.sendall(head.encode() + content)
    return connection


def states(rest: httpx.Client) -> list[tuple[str, str]]:
    """Return state and message of all jobs."""
    jobs = rest.get("/jobs").json()["jobs"]
    return [(job["state"], job["status"].get("errorResult", {}).get("message", "")) for job in jobs]


@pytest.mark.parametrize(("path", "linger"), [("/jobs", 0), ("/queries", 0), ("/queries", 1)])
def test_client_that_leaves(emulator: Emulator, rest: httpx.Client, path: str, linger: int) -> None:
    """A query whose client closes, or resets, the connection before it hears of it is stopped."""
    query = {"query": ENDLESS, "useLegacySql": False}
    body = {"configuration": {"query": query}} if path == "/jobs" else query | {"timeoutMs": 60000}
    connection = post(emulator, path, body)
    began = wait_for(lambda: [state for state, _ in states(rest)] == ["RUNNING"])
    # With 1 and no second to linger, closing resets.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", linger, 0))
    connection.close()

    assert began
    assert wait_for(lambda: states(rest)[0][0] == "DONE")
    assert "closed the connection" in states(rest)[0][1]


def test_one_of_two_leaves(
    emulator: Emulator, rest: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A query that two clients wait for goes on until both have left."""
    waiting: list[Job] = []
    left: list[Job] = []
    wait, abandon = Jobs.wait, Jobs.abandon

    def note_wait(jobs: Jobs, job: Job, *limits: Any) -> None:
        waiting.append(job)
        wait(jobs, job, *limits)

    def note_abandon(jobs: Jobs, job: Job) -> None:
        abandon(jobs, job)
        left.append(job)

    monkeypatch.setattr(Jobs, "wait", note_wait)
    monkeypatch.setattr(Jobs, "abandon", note_abandon)
    body = {"query": ENDLESS, "useLegacySql": False, "timeoutMs": 60000, "requestId": "r"}
    first = post(emulator, "/queries", body)
    assert wait_for(lambda: len(states(rest)) == 1)
    second = post(emulator, "/queries", body)
    assert wait_for(lambda: len(waiting) == 2 and waiting[0].waiting == 2)
    first.close()
    assert wait_for(lambda: len(left) == 1)
    after_one, stopped = states(rest), waiting[0].control.stopped
    second.close()

    assert (after_one, stopped) == ([("RUNNING", "")], False)
    assert not {id(job) for job in waiting} - {id(left[0])}
    assert wait_for(lambda: states(rest)[0][0] == "DONE")


def test_sent_again_after_leaving(emulator: Emulator, rest: httpx.Client) -> None:
    """A request whose job was stopped is run anew when it comes again."""
    body = {"query": ENDLESS, "useLegacySql": False, "timeoutMs": 60000, "requestId": "r"}
    post(emulator, "/queries", body).close()
    stopped = wait_for(lambda: [state for state, _ in states(rest)] == ["DONE"])
    again = post(emulator, "/queries", body)

    assert stopped
    assert wait_for(lambda: [state for state, _ in states(rest)] == ["RUNNING", "DONE"])
    again.close()


def test_stop(options: Options) -> None:
    """An emulator that stops ends its queries: the client gets no answer, and may try again."""
    failures: list[type[BaseException]] = []
    with Emulator(options) as emulator:
        connection = http.client.HTTPConnection("127.0.0.1", urlsplit(emulator.http).port)

        def ask() -> None:
            body = {"query": ENDLESS, "useLegacySql": False, "timeoutMs": 60000}
            path = f"/projects/{PROJECT}/queries"
            connection.request("POST", path, json.dumps(body))
            try:
                connection.getresponse()
            except (http.client.HTTPException, OSError) as error:
                failures.append(type(error))

        asking = threading.Thread(target=ask)
        asking.start()
        with httpx.Client(base_url=f"{emulator.http}/projects/{PROJECT}", trust_env=False) as rest:
            assert wait_for(lambda: [state for state, _ in states(rest)] == ["RUNNING"])
    asking.join(60)
    connection.close()

    assert failures == [http.client.RemoteDisconnected]


def test_stopped_once(tmp_path: Path) -> None:
    """The first reason to stop a job is the one that is told; what begins afterwards is stopped."""
    control, database = Control(), Database(tmp_path)
    with database.read() as cursor, control.watch(cursor):
        control.stop(ValueError("first"))
        control.stop(ValueError("second"))
    with database.read() as cursor, pytest.raises(ValueError, match="first"), control.watch(cursor):
        raise AssertionError
    database.close()


def test_interrupt_of_another(tmp_path: Path) -> None:
    """An interrupt that the job was not stopped with stays what it is."""
    control, database = Control(), Database(tmp_path)
    interrupted = pytest.raises(duckdb.InterruptException)
    with database.read() as cursor, interrupted, control.watch(cursor):
        raise duckdb.InterruptException("of another")
    database.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal(start: Start, number: int) -> None:  # noqa: F811 - the fixture
    """A signal stops a process whose query would run for ever."""
    running = start("--query-timeout", "300")
    with connect(running.ready()["http"]) as client:
        assert client.query(ENDLESS, job_retry=None).state == "RUNNING"

    assert running.end(number) == (0, "", "")


def peak(process: int) -> int:
    """Return the most memory that a process ever had, in MB."""
    status = Path(f"/proc/{process}/status").read_text()
    match = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert match is not None
    return int(match[1]) // 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux counts it")
@pytest.mark.parametrize(
    "query",
    [
        # An aggregate that must hold everything.
        (
            "SELECT ARRAY_LENGTH(ARRAY_AGG(CONCAT('a long text, number ', a, b))) "
            "FROM UNNEST(GENERATE_ARRAY(1, 100000)) AS a, UNNEST(GENERATE_ARRAY(1, 100000)) AS b"
        ),
        # BigQuery's limits of functions, without which one call takes gigabytes.
        "SELECT LENGTH(LPAD('abc', 1000000000))",
        "SELECT LENGTH(REPEAT('abc', 1000000000))",
        "SELECT ARRAY_LENGTH(GENERATE_ARRAY(1, 1000000000))",
    ],
)
def test_memory(start: Start, query: str) -> None:  # noqa: F811 - the fixture
    """A query that needs too much memory fails; the process keeps to its limit, and goes on."""
    running = start("--memory-limit", "200MB")
    with connect(running.ready()["http"]) as client:
        before = peak(running.process.pid)
        with pytest.raises(exceptions.BadRequest):
            client.query(query, job_retry=None).result(job_retry=None, timeout=300)

        assert peak(running.process.pid) < before + 600
        assert [row["n"] for row in client.query_and_wait(SHORT)] == [1]


@pytest.fixture
def recursion(client: bigquery.Client) -> Callable[[str], list[int]]:
    """Give the function that runs `WITH RECURSIVE t AS (…)` and returns its numbers, sorted."""

    def run(sql: str) -> list[int]:
        query = f"WITH RECURSIVE t AS ({sql}) SELECT * FROM t ORDER BY 1"  # noqa: S608 - ours
        return [next(iter(row)) for row in client.query(query, job_retry=None).result()]

    return run


# https://cloud.google.com/bigquery/docs/recursive-ctes
@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 500", list(range(1, 501))),
        (
            "(SELECT 1 AS n UNION ALL SELECT 1) UNION ALL SELECT n+1 FROM t WHERE n < 2",
            [1, 1, 2, 2],
        ),
        ("SELECT 1 AS n UNION ALL (SELECT x.n * 2 FROM t AS x WHERE x.n < 4)", [1, 2, 4]),
        ("SELECT 3 AS n UNION ALL SELECT * FROM t WHERE n < 1", [3]),
        ("SELECT 3 AS n UNION ALL SELECT t.* FROM t WHERE n < 1", [3]),
        (
            (
                "SELECT 1 AS n UNION ALL SELECT b FROM t "
                "JOIN UNNEST([STRUCT(1 AS a, 2 AS b), STRUCT(2, 3)]) AS e ON a = n"
            ),
            [1, 2, 3],
        ),
        ("SELECT 1 AS n UNION ALL SELECT 2", [1, 2]),
        ("SELECT 7 AS n", [7]),
        ("SELECT 1 AS n UNION DISTINCT SELECT n + 1 FROM t WHERE n < 3", [1, 2, 3]),
    ],
)
def test_recursion(recursion: Callable[[str], list[int]], sql: str, found: list[int]) -> None:
    """Recursion gives what it should; nothing shows that its iterations are counted."""
    assert recursion(sql) == found


@pytest.mark.parametrize("last", ["WHERE n < 501", ""])
def test_recursion_without_end(recursion: Callable[[str], list[int]], last: str) -> None:
    """The 501st iteration is an error.

    https://cloud.google.com/bigquery/docs/recursive-ctes#troubleshoot_iteration_limit_errors
    """
    with pytest.raises(exceptions.BadRequest, match="maximum number of iterations: 500"):
        recursion(f"SELECT 1 AS n UNION ALL SELECT n + 1 FROM t {last}")  # noqa: S608 - ours


@pytest.mark.parametrize(
    ("largest", "beyond", "message"),
    [
        ("LENGTH(REPEAT('ab', 524288))", "REPEAT('ab', 524289)", "Output of REPEAT exceeds"),
        ("LENGTH(LPAD('ab', 1048576))", "LPAD('ab', 1048577)", "Output of LPAD/RPAD exceeds"),
        ("LENGTH(RPAD('ab', 1048576))", "RPAD('ab', 1048577)", "Output of LPAD/RPAD exceeds"),
        (
            "ARRAY_LENGTH(GENERATE_ARRAY(1, 1048575))",
            "GENERATE_ARRAY(1, 1048577)",
            "more than 1048575 elements",
        ),
        (
            "ARRAY_LENGTH(GENERATE_ARRAY(0, -2000000, -2))",
            "GENERATE_ARRAY(0, -3000000, -2)",
            "more than 1048575 elements",
        ),
        (
            (
                "ARRAY_LENGTH(GENERATE_TIMESTAMP_ARRAY("
                "TIMESTAMP '2026-01-01', TIMESTAMP '2026-01-02', INTERVAL 1 SECOND))"
            ),
            (
                "GENERATE_TIMESTAMP_ARRAY("
                "TIMESTAMP '2026-01-01', TIMESTAMP '2026-01-02', INTERVAL 1 MICROSECOND)"
            ),
            "more than 1048575 elements",
        ),
    ],
)
def test_large_values(rows: Rows, largest: str, beyond: str, message: str) -> None:
    """A function gives no more than BigQuery's does."""
    ((size,),) = rows(f"SELECT {largest}")
    with pytest.raises(exceptions.BadRequest, match=message):
        rows(f"SELECT {beyond}")

    assert size > 80_000


def test_time_outside_of_bigquerys(rows: Rows) -> None:
    """A timestamp before year 1 is refused, not a fault of the emulator.

    https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#timestamp_type
    """
    with pytest.raises(exceptions.BadRequest, match="out of range"):
        rows("SELECT TIMESTAMP_SUB(TIMESTAMP '0001-01-01', INTERVAL 1 DAY)")
