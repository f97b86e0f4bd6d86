"""What is imported before a service is ready, by plugin."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache

import pytest

# Says which modules are there when the service is ready; a first argument names its plugin.
PROGRAM = """
import json, sys
from msp_core import NoopRoutine, hookimpl, run

class Service:
    name, version = "service", "1"

    @hookimpl
    async def msp_initialize(self, contract):
        self.clients = [use(contract) for use in CLIENTS]
        return NoopRoutine()

def cloudsql(contract):
    from msp_cloudsql import CloudSQL
    return contract[CloudSQL].pool("primary")

def redis(contract):
    from msp_redis import Redis
    return contract[Redis].client()

CLIENTS = [globals()[name] for name in sys.argv[1:] if name in globals()]

def ready(contract):
    print(json.dumps([*sys.modules]))
    contract.stop("the end of the test")

run(Service(), plugins=sys.argv[1:], on_ready=ready)
"""

# Nobody listens there: opening does not wait for anybody.
ENVIRON = {
    "PORT": "0",
    "PGDSN": "postgres://user@127.0.0.1:1/{{ .Database }}",
    "REDIS_ENDPOINT": "redis://127.0.0.1:1",
    "SENTRY_DSN": "http://key@127.0.0.1:1/1",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1",
    "OTEL_METRICS_EXPORTER": "otlp",
}

# By plugin, packages that it may import before the service is ready; "" is the core alone.
PACKAGES = {
    "": {"attr", "attrs", "msp_core", "orjson", "pluggy", "pythonjsonlogger", "uvloop"},
    "cloudsql": {"msp_cloudsql", "psycopg", "psycopg_binary", "psycopg_pool", "typing_extensions"},
    "redis": {
        "msp_redis",
        "redis",
        *("cryptography", "hiredis", "opentelemetry", "psutil", "typing_extensions"),  # if there
    },
    "opentelemetry": {
        "msp_opentelemetry",
        "opentelemetry",
        *("google", "psutil", "typing_extensions"),
        *("certifi", "charset_normalizer", "idna", "requests", "urllib3"),  # the exporter's
        "prometheus_client",  # on a laptop
    },
    "sentry": {
        "msp_sentry",
        "sentry_sdk",
        *("certifi", "urllib3"),
        # The SDK has integrations for these, and imports what is installed of them.
        *("anyio", "asgiref", "django", "h11", "httpcore", "httpx", "idna", "sniffio", "sqlparse"),
        *("starlette", "typing_extensions"),
    },
}

# Modules of our own, how many at most. Each takes a fifth of a millisecond, a record as much again.
MOST = {"": 118, "cloudsql": 38, "redis": 9, "opentelemetry": 41, "sentry": 15}

# What no service needs to be ready: commands, jobs, stand-ins for laptops, JSON of records.
NEVER = {"msp_core._cli", "msp_core._jobs", "msp_core.dev", "cattrs"}

# Imported only while no declaration is kept, which other tests decide as well.
METADATA = {"importlib_metadata", "lazy_importer", "packaging", "zipp"}

# What editable installs, Cython and the interpreter leave behind.
NAMELESS = ("__main__", "_cython", "_distutils_hack", "_sysconfigdata", "cython_runtime")


@cache
def imported(plugin: str) -> frozenset[str]:
    """Return the modules that are there when a service with that plugin, or none, is ready."""
    done = subprocess.run(  # noqa: S603 - the program above
        [sys.executable, "-c", PROGRAM, *filter(None, [plugin])],
        env=ENVIRON,
        check=True,
        capture_output=True,
        text=True,
    )
    return frozenset(json.loads(done.stdout))


def packages(modules: frozenset[str]) -> set[str]:
    """Return the packages that are neither Python's nor nobody's."""
    found = {name.partition(".")[0] for name in modules} - sys.stdlib_module_names - METADATA
    return {name for name in found if not name.startswith(NAMELESS)}


@pytest.mark.parametrize("plugin", PACKAGES)
def test_packages(plugin: str) -> None:
    """A start imports no package that it does not need."""
    assert packages(imported(plugin)) - PACKAGES[""] <= PACKAGES[plugin]


@pytest.mark.parametrize("plugin", PACKAGES)
def test_modules_of_our_own(plugin: str) -> None:
    """A start that gets many more of them becomes slower without anybody noticing."""
    own = f"msp_{plugin or 'core'}"

    assert 0 < len([name for name in imported(plugin) if name.startswith(own)]) <= MOST[plugin]


@pytest.mark.parametrize("plugin", PACKAGES)
def test_what_no_start_needs(plugin: str) -> None:
    """What is imported late is not imported by accident."""
    assert not NEVER & imported(plugin)
