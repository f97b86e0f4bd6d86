"""Opening and closing what plugins provide, through the contract without the runtime."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from msp_core import (
    ConfigError,
    ContractError,
    JobContract,
    PluginError,
    RoutineError,
    ServiceContract,
    StopTimeoutError,
    UsageError,
    assemble,
    hookimpl,
    open_contract,
)
from msp_core._life.holding import Holding
from msp_core.deadline import Deadline, close_deadline
from tests.msp_core.installed import Installed

RESOURCE = """
    import asyncio, attrs
    from contextlib import asynccontextmanager
    from msp_core import Integration, Route, env, hookimpl

    log = []

    @attrs.frozen
    class Config:
        url: str = env("{NAME}_URL", help="where {name} is")
        size: int = env("{NAME}_SIZE", default=3)

    class Client:
        healthy = True

    @asynccontextmanager
    async def open_client(config, contract):
        log.append("open {name}")
        task = asyncio.current_task()
        {opening}
        try:
            yield Client()
        finally:
            assert asyncio.current_task() is task
            log.append("close {name}")
            {closing}

    async def check(client):
        if not client.healthy:
            raise ConnectionError("refused")

    @hookimpl
    def msp_integration():
        return Integration(
            name="{name}", config=Config, client=Client, open=open_client, check=check,
            telemetry={telemetry},
        )

    @hookimpl
    def msp_asgi_middleware(contract):
        return lambda app: app

    @hookimpl
    def msp_diagnostics_routes(contract):
        async def respond(query):
            return 200, "text/plain", b"{name}"
        return [Route(path="/-/{name}", respond=respond, secret=False)]
"""


class Service:
    """A service that is not run."""

    name = "guestbook"
    version = "1.2.3"

    @hookimpl
    async def msp_initialize(self) -> None: ...

    @hookimpl
    async def msp_healthy(self, query: Mapping[str, str]) -> None:
        if "deep" in query:
            raise LookupError("too deep")


class Job:
    """A job that is not run."""

    name = "cleaner"
    version = "1.2.3"

    @hookimpl
    async def msp_execute(self) -> None: ...


def resource(
    installed: Installed,
    name: str,
    *,
    opening: str = "pass",
    closing: str = "pass",
    telemetry: bool = False,
) -> None:
    """Install a plugin that keeps a log of what happens to its resource."""
    source = RESOURCE
    for key, value in {
        "{NAME}": name.upper(),
        "{name}": name,
        "{opening}": opening,
        "{closing}": closing,
        "{telemetry}": str(telemetry),
    }.items():
        source = source.replace(key, value)
    installed.plugin(name, source)


def module(name: str) -> Any:
    """Return the imported module of a fake plugin."""
    return sys.modules[f"fake_{name}"]


async def test_opens_in_order_closes_in_reverse(installed: Installed) -> None:
    """Resources are opened in declared order, telemetry before them; closed in reverse."""
    for name in ("one", "two"):
        resource(installed, name)
    resource(installed, "trace", telemetry=True)
    log: list[str] = []
    environ = {"PORT": "80", "ONE_URL": "x", "TWO_URL": "y", "TRACE_URL": "z"}
    async with open_contract(environ, Service(), plugins=("one", "two", "trace")) as contract:
        for name in ("one", "two", "trace"):
            log += module(name).log
            module(name).log = log
        opened = list(contract.opened.clients)

    assert [client.__module__ for client in opened] == ["fake_trace", "fake_one", "fake_two"]
    assert log[3:] == ["close two", "close one", "close trace"]


async def test_contract_values(installed: Installed) -> None:
    """What the platform gave is on the contract, typed; a client is found by its type."""
    resource(installed, "one")
    environ = {"PORT": "9992", "MSP": "true", "EXTERNAL_DNS_NAME": "x.example", "ONE_URL": "x"}
    environ |= {"ENVIRONMENT_ID": "prod", "GOOGLE_CLOUD_PROJECT": "p", "DIAGNOSTICS_SECRET": "s"}
    async with open_contract(environ, Service(), plugins=("one",)) as contract:
        client = contract[module("one").Client]

    assert isinstance(contract, ServiceContract)
    assert (contract.port, contract.external_dns_name) == (9992, "x.example")
    assert (contract.msp, contract.environment_id, contract.google_cloud_project) == (
        True,
        "prod",
        "p",
    )
    assert (contract.name, contract.version) == ("guestbook", "1.2.3")
    assert type(client) is module("one").Client
    assert repr(contract) == "<ServiceContract of guestbook 1.2.3>"


async def test_job_needs_no_port() -> None:
    """A job's contract has no port and needs none."""
    async with open_contract({}, Job(), plugins=()) as contract:
        assert isinstance(contract, JobContract)
        assert not hasattr(contract, "port")


async def test_all_problems_at_once() -> None:
    """Without the runtime, too, a wrong environment is one error with every problem."""
    with pytest.raises(ConfigError) as caught:
        async with open_contract({"MSP": "perhaps"}, Service(), plugins=()):
            raise AssertionError

    assert [problem.variable for problem in caught.value.problems] == ["MSP", "PORT"]


@pytest.mark.parametrize("missing", ["name", "version"])
def test_service_without_identity(missing: str) -> None:
    """A service says who it is: a missing name or version is refused with what to set."""

    class Anonymous(Service): ...

    setattr(Anonymous, missing, None)

    with pytest.raises(UsageError, match=f"has no {missing}: set the attribute `{missing}`"):
        assemble(Anonymous(), {"PORT": "80"}, plugins=())


async def test_unconfigured_client(installed: Installed) -> None:
    """Asking for what is not configured names the variable, and a near-miss that is set."""
    resource(installed, "one")
    environ = {"PORT": "80", "ONE_ULR": "x"}
    async with open_contract(environ, Service(), plugins=("one",)) as contract:
        client = module("one").Client

        assert not contract.configured(client)
        with pytest.raises(ContractError) as caught:
            contract[client]
    text = str(caught.value)
    assert text.startswith("contract[Client]: 'one' is declared but not configured: set ONE_URL; ")
    assert "ONE_ULR" in text


async def test_undeclared_client(installed: Installed) -> None:
    """Asking for what is not declared names the line to add, as the service declares plugins."""
    resource(installed, "two")
    installed.distribution(
        "guestbook",
        requires=["msp-core"],
        entry_points={"msp.services": {"guestbook": "somewhere:Guestbook"}},
    )
    installed.module("elsewhere", "class Client: ...")
    sys.path_importer_cache.clear()
    import elsewhere  # type: ignore[import-not-found]  # noqa: PLC0415 - installed by this test
    import fake_two  # type: ignore[import-not-found]  # noqa: PLC0415 - installed by this test

    async with open_contract({"PORT": "80"}, Service(), distribution="guestbook") as contract:
        with pytest.raises(ContractError) as undeclared:
            contract[fake_two.Client]
        with pytest.raises(ContractError) as unknown:
            contract[elsewhere.Client]
    async with open_contract({"PORT": "80"}, Service(), plugins=()) as contract:
        with pytest.raises(ContractError) as named:
            contract[fake_two.Client]

    assert str(undeclared.value) == (
        "contract[Client]: plugin 'two' is not declared: add 'msp-two' to the dependencies in the"
        " pyproject.toml of guestbook"
    )
    assert str(unknown.value) == ("contract[Client]: no installed plugin provides elsewhere.Client")
    assert str(named.value) == (
        "contract[Client]: plugin 'two' is not declared: add 'two' to `plugins=`"
    )


async def test_undeclared_client_of_ours() -> None:
    """Asking for a client that one of the core's extras brings names the extra."""
    from msp_redis import Redis  # noqa: PLC0415 - the subject of this test alone

    async with open_contract({"PORT": "80"}, Service(), distribution="msp-core") as contract:
        with pytest.raises(ContractError, match=r"add 'msp-core\[redis\]' to the dependencies"):
            contract[Redis]


async def test_resource_uses_an_earlier_one(installed: Installed) -> None:
    """A resource may use one that was opened before it."""
    resource(installed, "one")
    resource(installed, "two", opening="contract[__import__('fake_one').Client]")
    environ = {"PORT": "80", "ONE_URL": "x", "TWO_URL": "x"}
    async with open_contract(environ, Service(), plugins=("one", "two")) as contract:
        assert contract.configured(module("two").Client)


async def test_client_that_is_not_open_yet(installed: Installed) -> None:
    """A plugin that asks for a resource opened after its own is told so."""
    resource(installed, "one", opening="contract[__import__('fake_two').Client]")
    resource(installed, "two")
    environ = {"PORT": "80", "ONE_URL": "x", "TWO_URL": "x"}
    with pytest.raises(ContractError, match=r"'two' is not open: resources are opened in declared"):
        async with open_contract(environ, Service(), plugins=("one", "two")):
            raise AssertionError


async def test_failing_open_unwinds(installed: Installed) -> None:
    """When one resource cannot be opened, those before it are closed again."""
    resource(installed, "one")
    resource(installed, "two", opening="raise OSError('no such host')")
    environ = {"PORT": "80", "ONE_URL": "x", "TWO_URL": "y"}
    with pytest.raises(OSError, match="no such host"):
        async with open_contract(environ, Service(), plugins=("one", "two")):
            raise AssertionError

    assert module("one").log == ["open one", "close one"]


async def test_failing_close_skips_nobody(installed: Installed) -> None:
    """A resource that fails to close is named; the others are closed all the same."""
    resource(installed, "one")
    resource(installed, "two", closing="raise OSError('lost')")
    environ = {"PORT": "80", "ONE_URL": "x", "TWO_URL": "y"}
    with pytest.raises(RoutineError, match=r'^close "two": lost$'):
        async with open_contract(environ, Service(), plugins=("one", "two")):
            pass

    assert module("one").log == ["open one", "close one"]


async def test_hanging_close_is_logged(
    installed: Installed, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without the runtime, too, the log says where a resource hangs that does not close."""
    platform = SimpleNamespace(of=lambda _: SimpleNamespace(shutdown_budget=0.1))
    monkeypatch.setattr("msp_core._life.open_contract.Platform", platform)
    resource(installed, "one", closing="await asyncio.Event().wait()")
    with pytest.raises(StopTimeoutError, match=r'^"one" did not close in time$'):
        async with open_contract({"PORT": "80", "ONE_URL": "x"}, Service(), plugins=("one",)):
            pass

    (record,) = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert "in _hold" in record.stack  # type: ignore[attr-defined]


async def test_plugin_parts_are_put_in_place(installed: Installed) -> None:
    """A plugin's check, route and middleware are part of diagnostics and contract."""
    resource(installed, "one")
    environ = {"PORT": "80", "ONE_URL": "x"}
    async with open_contract(environ, Service(), plugins=("one",)) as contract:
        health = contract.diagnostics.health
        results = {result.name: result for result in await health.results()}
        deep = await health.healthz({"deep": "1"})

        assert results["one"].healthy
        assert deep is not None
        assert "too deep" in deep
        assert len(contract.middleware) == 1


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({}, None),
        ({"MSP_HEALTHZ_RESOURCES": "start"}, "one: refused"),
        ({"MSP_HEALTHZ_RESOURCES": "always"}, "one: refused"),
    ],
)
async def test_resources_at_healthz(
    installed: Installed, given: Mapping[str, str], wrong: str | None
) -> None:
    """A resource that is away makes `/-/healthz` fail only where the variable says so."""
    resource(installed, "one")
    environ = {"PORT": "80", "ONE_URL": "x", **given}
    async with open_contract(environ, Service(), plugins=("one",)) as contract:
        contract[module("one").Client].healthy = False

        assert await contract.diagnostics.health.healthz({}) == wrong


async def test_unknown_choice_of_healthz() -> None:
    """What counts at `/-/healthz` is never guessed."""
    environ = {"PORT": "80", "MSP_HEALTHZ_RESOURCES": "sometimes"}
    with pytest.raises(ConfigError, match="MSP_HEALTHZ_RESOURCES"):
        async with open_contract(environ, Service(), plugins=()):
            raise AssertionError


async def test_middleware_of_a_job(installed: Installed) -> None:
    """Plugins are asked for middleware once, whatever the contract is for."""
    resource(installed, "one")
    async with open_contract({"ONE_URL": "x"}, Job(), plugins=("one",)) as contract:
        assert len(contract.middleware) == 1


async def test_conflicting_route(installed: Installed) -> None:
    """A plugin whose route hides one of the core's is refused."""
    resource(installed, "live")
    with pytest.raises(PluginError, match=r"plugin 'live'.* gives /-/live, which exists already"):
        async with open_contract({"PORT": "80", "LIVE_URL": "x"}, Service(), plugins=("live",)):
            raise AssertionError


async def test_hanging_close_is_named() -> None:
    """A resource that does not close by its deadline is named with its stack, and cancelled."""

    class Stuck:
        async def __aenter__(self) -> str:
            return "client"

        async def __aexit__(self, *_: object) -> None:
            await asyncio.Event().wait()

    holding = Holding("stuck", Stuck())

    assert await holding.open() == "client"
    with pytest.raises(StopTimeoutError, match=r'^"stuck" did not close in time$') as caught:
        await holding.close(Deadline.after(0.05))
    assert "in __aexit__" in caught.value.stack


async def test_close_knows_its_deadline() -> None:
    """What an integration does while it is closed can be limited to the time it has."""
    seen = []

    class Slow:
        async def __aenter__(self) -> None:
            seen.append(close_deadline.get())

        async def __aexit__(self, *_: object) -> None:
            seen.append(close_deadline.get())

    holding = Holding("slow", Slow())
    await holding.open()
    deadline = Deadline.after(30)
    await holding.close(deadline)

    assert seen == [None, deadline]
    assert close_deadline.get() is None


async def test_contract_scrubs(installed: Installed) -> None:
    """A plugin that sends texts elsewhere can take the secrets of the configuration out of them."""
    environ = {"PORT": "80", "DIAGNOSTICS_SECRET": "correct horse"}
    async with open_contract(environ, Service(), plugins=()) as contract:
        assert contract.scrub("the correct horse battery") == "the *** battery"


async def test_close_without_open() -> None:
    """A resource whose opening never began has nothing to close."""

    class Untouched:
        async def __aenter__(self) -> None:
            raise AssertionError

        async def __aexit__(self, *_: object) -> None:
            raise AssertionError

    await Holding("untouched", Untouched()).close(Deadline.after(1))


async def test_opening_is_cancelled_by_close() -> None:
    """A resource that is still being opened when the stop comes is cancelled, not waited for."""
    entered = asyncio.Event()

    class Slow:
        async def __aenter__(self) -> None:
            entered.set()
            await asyncio.Event().wait()

        async def __aexit__(self, *_: object) -> None:
            raise AssertionError

    holding = Holding("slow", Slow())
    opening = asyncio.create_task(holding.open())
    await entered.wait()
    await holding.close(Deadline.after(30))

    with pytest.raises(asyncio.CancelledError):
        await opening
