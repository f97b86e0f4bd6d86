"""Each integration gets a dev resource, or a reason why not."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import attrs
import pytest

from msp_core._plugins.declaration import DeclaredPlugin
from msp_core.assembly import AssembledIntegration
from msp_core.config import describe, env
from msp_core.contract import Contract
from msp_core.dev import DevResource, StartedResource
from msp_core.integration import Integration
from msp_dev._plan import Plan, Row


@attrs.frozen
class Near:
    """One way to connect."""

    dsn: str = env("STORE_DSN", empty_is_unset=True)


@attrs.frozen
class Far:
    """Another way to connect."""

    instance: str = env("STORE_INSTANCE")
    user: str = env("STORE_USER")
    region: str = env("STORE_REGION", alone_is_unset=True)


@attrs.frozen
class StoreConfig:
    """Two ways to connect, and a variable that never asks for the integration."""

    connection: Near | Far
    verbose: bool = env("STORE_VERBOSE", default=False)


class Store:
    """A client."""


@contextlib.asynccontextmanager
async def embedded(folder: Path) -> AsyncIterator[Mapping[str, str]]:
    """Start nothing."""
    yield {}


def plan(dev: DevResource | None, **environ: str) -> Plan:
    """Return the plan for one integration."""

    def unopened(config: StoreConfig, contract: Contract) -> contextlib.nullcontext[Store]:
        raise AssertionError

    record = Integration(name="store", config=StoreConfig, client=Store, open=unopened, dev=dev)
    plugin = DeclaredPlugin(
        name="store",
        distribution="msp-store",
        version="1.0",
        entry_point="msp_store",
        reason="required",
    )
    integration = AssembledIntegration(
        plugin=plugin, record=record, config=None, variables=describe(StoreConfig)
    )
    return Plan(integrations=(integration,), environ=environ, data=Path(".msp"))


def test_starts_what_nothing_asks_for() -> None:
    """No option, no name that others use too, and nothing set to nothing asks for a resource."""
    planned = plan(embedded, STORE_VERBOSE="true", STORE_REGION="here", STORE_DSN="")

    assert planned.resources == {"store": embedded}
    assert planned.rows({"store": StartedResource({"STORE_DSN": "here", "STORE_ZONE": "x"})}) == [
        Row(
            plugin="store",
            state="embedded",
            reason="sets STORE_DSN, STORE_ZONE; data in .msp/store",
        )
    ]


@pytest.mark.parametrize("name", ["STORE_DSN", "STORE_INSTANCE", "STORE_USER"])
def test_leaves_alone_what_the_user_configured_even_by_half(name: str) -> None:
    """A half configuration is a problem to be told, not to be covered by an embedded server."""
    planned = plan(embedded, **{name: "here"})

    assert planned.resources == {}
    assert planned.rows({}) == [
        Row(plugin="store", state="configured", reason=f"{name} set by you")
    ]


def test_says_what_an_integration_without_dev_resource_needs() -> None:
    """What stays off says how to turn it on."""
    planned = plan(None)

    assert planned.resources == {}
    assert planned.rows({}) == [
        Row(
            plugin="store",
            state="off",
            reason="no dev resource; needs STORE_DSN, or STORE_INSTANCE with STORE_USER with"
            " STORE_REGION",
        )
    ]
