"""The limits that the README promises are those of pools and connections."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import AsyncConnectionPool

from msp_cloudsql import CloudSQLConfig, _check
from msp_cloudsql._instance import refreshed as _refreshed
from msp_cloudsql._instance.refreshed import Fetched, Refreshed
from msp_cloudsql._instance.surroundings import Google
from msp_cloudsql._login import login
from msp_cloudsql._plugin import open_cloudsql
from msp_cloudsql._pools.pools import AsyncPool
from msp_cloudsql._telemetry.arguments import argument_attributes
from msp_core import Contract
from msp_core.config import load
from tests.msp_cloudsql.stand_in import ENVIRON

README = (Path(__file__).parents[2] / "plugins" / "cloudsql" / "README.md").read_text("utf-8")
LIMITS = {
    "connect_timeout": "5",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}


@pytest.mark.parametrize("environ", [{"PGDSN": "host=h dbname={{ .Database }}"}, ENVIRON])
def test_connections_have_limits(environ: Mapping[str, str]) -> None:
    """A server that does not answer, or vanishes, is noticed; locally and on an instance."""
    conninfo = login(load(CloudSQLConfig, environ), Google()).conninfo("primary")
    given = {name: str(value) for name, value in conninfo_to_dict(conninfo).items()}

    assert LIMITS.items() <= given.items()
    assert given["dbname"] == "primary"


@pytest.mark.parametrize("name", LIMITS)
def test_the_dsn_may_say_otherwise(name: str) -> None:
    """Whoever knows the server better than we can say so."""
    config = load(CloudSQLConfig, {"PGDSN": f"host=h dbname={{{{ .Database }}}} {name}=7"})
    given = conninfo_to_dict(login(config, Google()).conninfo("primary"))

    assert given[name] == "7"


async def test_pools_have_the_defaults_of_the_readme(
    postgresql_environ: Mapping[str, str], contract: Contract
) -> None:
    """Each number of the table, for asyncio and for threads."""
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+)( min)?", README, re.MULTILINE)
    promised = {name: float(number) * (60 if unit else 1) for name, number, unit in rows}
    assert promised == {
        "min_size": 1,
        "max_size": 10,
        "timeout": 10,
        "max_lifetime": 3000,
        "reconnect_timeout": 10,
        "connect_timeout": 5,
    }
    async with open_cloudsql(load(CloudSQLConfig, postgresql_environ), contract) as cloudsql:
        for pool in (cloudsql.pool("primary"), cloudsql.sync_pool("primary")):
            for name in promised.keys() - {"connect_timeout"}:
                assert getattr(pool, name) == promised[name], name


@pytest.mark.parametrize("name", ["open", "wait", "getconn"])
def test_a_pool_is_called_like_the_library_s(name: str) -> None:
    """What is left out means the same."""
    ours, theirs = getattr(AsyncPool, name), getattr(AsyncConnectionPool, name)

    assert inspect.signature(ours).parameters.keys() == inspect.signature(theirs).parameters.keys()
    assert ours.__defaults__ == theirs.__defaults__


def test_up_to_24_arguments_of_240_bytes_are_shown() -> None:
    """As many as by the Go runtime; of more only the number is told."""
    assert len(argument_attributes(list(range(24)), str)) == 24
    assert argument_attributes(list(range(25)), str) == {"msp.db.parameters_omitted": 25}
    assert argument_attributes({"a": "x" * 240}, str) == {"db.query.parameter.a": "x" * 240}
    assert argument_attributes({"a": b"x" * 241}, str) == {"db.query.parameter.a": "x" * 240}
    assert argument_attributes(7, str) == {}


def test_a_check_ends_before_the_runtime_gives_up() -> None:
    """The README's numbers; below the 2 s of the runtime, so that the error says what was slow."""
    pattern = r"gave a connection within ([\d.]+) s .*? all within ([\d.]+) s"
    said = re.search(pattern, README, re.DOTALL)

    assert said is not None
    assert (float(said[1]), float(said[2])) == (_check._POOL_LIMIT, _check._LIMIT) == (1.0, 1.5)


def test_a_fetch_is_forced_at_most_every_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who doubts a value again at once gets no other: Google would be asked without end."""
    now = 100.0
    clock = SimpleNamespace(monotonic=lambda: now, time=lambda: 0.0)
    monkeypatch.setattr(_refreshed, "time", clock)
    refreshed = Refreshed(lambda: Fetched(value=1, expires=60.0), title="number")

    assert refreshed.renew(refreshed.get())
    doubted = refreshed.get()
    now = 109.9
    assert not refreshed.renew(doubted)
    now = 110.0
    assert refreshed.renew(doubted)
