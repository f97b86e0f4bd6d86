"""Loading plugins and calling their hooks."""

from __future__ import annotations

import sys
from typing import Any, cast

import pytest

from msp_core._plugins.hooks import Plugins
from msp_core._plugins.resolution import resolve
from msp_core.contract import Contract
from msp_core.errors import PluginError
from msp_core.integration import FailedStart
from tests.msp_core.installed import Installed

# Stands for a contract: hooks get what they are given.
CONTRACT = cast("Contract", object())


def load(*names: str) -> Plugins:
    """Load plugins by name."""
    return Plugins.load(resolve(object(), plugins=names))


def hook(body: str) -> str:
    """Return the source of a plugin whose one hook is given."""
    return f"from msp_core.hookspecs import hookimpl\n@hookimpl\n{body}\n"


def refused(installed: Installed, source: str) -> PluginError:
    """Load a plugin `kv` of that source and return the error."""
    installed.plugin("kv", source)
    with pytest.raises(PluginError) as caught:
        load("kv")
    error = caught.value

    assert (error.plugin, error.distribution, error.version) == ("kv", "msp-kv", "0.1.0")
    return error


class TestLoad:
    def test_working(self, installed: Installed) -> None:
        """A declared plugin is imported and its integration carries its provenance."""
        installed.plugin("kv")
        plugins = load("kv")
        [provided] = plugins.integrations()

        assert provided.record.name == "kv"
        assert provided.plugin.owner == "plugin 'kv', msp-kv 0.1.0"
        assert plugins.loaded == (provided.plugin,)

    def test_undeclared(self, installed: Installed) -> None:
        """A broken plugin that is installed but not declared is never imported."""
        installed.plugin("heavy", "raise RuntimeError('imported')")
        installed.plugin("kv")
        load("kv")

        assert "fake_heavy" not in sys.modules

    def test_broken(self, installed: Installed) -> None:
        """A plugin that raises at import is named with distribution and version."""
        error = refused(installed, "raise RuntimeError('no luck')")

        assert str(error) == (
            "plugin 'kv', msp-kv 0.1.0: cannot be imported: RuntimeError: no luck"
        )
        assert isinstance(error.__cause__, RuntimeError)

    def test_leaves_the_process(self, installed: Installed) -> None:
        """A plugin that exits at import cannot end the process."""
        error = refused(installed, "raise SystemExit(0)")

        assert "cannot be imported: SystemExit: 0" in str(error)

    def test_missing_import_inside(self, installed: Installed) -> None:
        """An import error inside the plugin is shown as it is."""
        error = refused(installed, "import nowhere")

        assert str(error).endswith(
            "cannot be imported: ModuleNotFoundError: No module named 'nowhere'"
        )

    def test_class(self, installed: Installed) -> None:
        """An entry point that names a class is refused: nobody would make the instance."""
        installed.distribution("msp-kv", entry_points={"msp.plugins": {"kv": "fake_kv:Plugin"}})
        installed.module("fake_kv", "class Plugin: ...")

        with pytest.raises(PluginError, match="fake_kv:Plugin is a class: let the entry point"):
            load("kv")

    def test_misspelt_hook(self, installed: Installed) -> None:
        """A misspelt hook is an error with a suggestion."""
        error = refused(installed, hook("def msp_integrations(): ..."))

        assert str(error) == (
            "plugin 'kv', msp-kv 0.1.0: implements msp_integrations, which is no hook:"
            " did you mean msp_integration?"
        )

    def test_unknown_hook(self, installed: Installed) -> None:
        """A hook like no other gets the list of those there are."""
        error = refused(installed, hook("def zz(): ..."))

        assert "implements zz, which is no hook: there are msp_integration, " in str(error)

    def test_hook_of_a_service(self, installed: Installed) -> None:
        """A plugin must not implement what only services do."""
        error = refused(installed, hook("def msp_healthy(query): ..."))

        assert "implements msp_healthy, which only a service or a job may" in str(error)

    def test_unmarked(self, installed: Installed) -> None:
        """A hook without its mark would never be called, so it is an error."""
        error = refused(installed, "def msp_integration(): ...")

        assert "has a function msp_integration that is not marked: put @hookimpl" in str(error)

    def test_unknown_argument(self, installed: Installed) -> None:
        """A hook that asks for what it is not given is an error."""
        error = refused(installed, hook("def msp_log_processor(contrakt): ..."))

        assert "does not fit its hooks" in str(error)
        assert "contrakt" in str(error)

    def test_same_module_twice(self, installed: Installed) -> None:
        """Two entry points must not name the same module."""
        groups = {"msp.plugins": {"one": "fake_both", "two": "fake_both"}}
        installed.distribution("msp-both", entry_points=groups)
        installed.module("fake_both", "")

        with pytest.raises(PluginError, match=r"'two', msp-both 0.1.0: does not fit its hooks"):
            load("one", "two")


class TestIntegrations:
    def test_order(self, installed: Installed) -> None:
        """Integrations come in declared order, not in pluggy's."""
        for name in ("a", "b", "c"):
            installed.plugin(name)

        assert [it.record.name for it in load("b", "c", "a").integrations()] == ["b", "c", "a"]

    def test_none(self, installed: Installed) -> None:
        """A plugin need not provide an integration."""
        installed.plugin("kv", "")

        assert load("kv").integrations() == ()

    @pytest.mark.parametrize(
        ("value", "kind"), [("None", "None"), ("{'name': 'kv'}", "a value of type dict")]
    )
    def test_wrong_result(self, installed: Installed, value: str, kind: str) -> None:
        """An integration hook that returns something else is an error that says what."""
        installed.plugin("kv", hook(f"def msp_integration(): return {value}"))

        with pytest.raises(PluginError) as caught:
            load("kv").integrations()
        assert str(caught.value) == (
            f"plugin 'kv', msp-kv 0.1.0: msp_integration returned {kind},"
            " expected an Integration record"
        )

    def test_raises(self, installed: Installed) -> None:
        """A hook that raises is named with its plugin; the text, which may quote, is left out."""
        installed.plugin("kv", hook("def msp_integration(): raise ValueError('hunter2')"))

        with pytest.raises(PluginError) as caught:
            load("kv").integrations()
        assert str(caught.value) == ("plugin 'kv', msp-kv 0.1.0: msp_integration raised ValueError")

    def test_same_client(self, installed: Installed) -> None:
        """Two plugins must not give clients of one type: a service could ask for only one."""
        installed.plugin("kv")
        installed.plugin("copy", "from fake_kv import msp_integration")

        with pytest.raises(PluginError, match=r"'copy', .* type Client as does plugin 'kv', "):
            load("kv", "copy").integrations()


@pytest.mark.parametrize("name", ["log_processor", "asgi_middleware"])
class TestFunctions:
    def call(self, plugins: Plugins, name: str) -> tuple[Any, ...]:
        """Call the wrapper of that hook."""
        if name == "log_processor":
            return plugins.log_processors(CONTRACT)
        return plugins.asgi_middleware(CONTRACT)

    @pytest.mark.parametrize(
        ("options", "order"),
        [({"a": "(tryfirst=True)"}, "abc"), ({"b": "(trylast=True)"}, "cab"), ({}, "bca")],
    )
    def test_place(
        self, installed: Installed, name: str, options: dict[str, str], order: str
    ) -> None:
        """An implementation may ask to come before or after those of all other plugins."""
        for plugin in ("a", "b", "c"):
            mark = f"@hookimpl{options.get(plugin, '')}"
            body = f"{mark}\ndef msp_{name}(contract): return lambda _: {plugin!r}"
            installed.plugin(plugin, f"from msp_core.hookspecs import hookimpl\n{body}\n")
        functions = self.call(load("b", "c", "a"), name)

        assert "".join(function(None) for function in functions) == order

    def test_order(self, installed: Installed, name: str) -> None:
        """Functions come in declared order and were given the contract."""
        body = f"def msp_{name}(contract): return lambda *_: (__name__, contract)"
        for plugin in ("a", "b"):
            installed.plugin(plugin, hook(body))
        functions = self.call(load("b", "a"), name)

        assert [function(None) for function in functions] == [
            ("fake_b", CONTRACT),
            ("fake_a", CONTRACT),
        ]

    def test_wrong_result(self, installed: Installed, name: str) -> None:
        """What is no function is refused."""
        installed.plugin("kv", hook(f"def msp_{name}(): return 7"))

        with pytest.raises(PluginError, match=f"msp_{name} returned a value of type int, exp"):
            self.call(load("kv"), name)


ROUTE = "Route(path={path!r}, respond=None)"


class TestDiagnosticsRoutes:
    def routes(self, installed: Installed, name: str, result: str) -> None:
        """Install a plugin that returns these routes."""
        source = hook(f"def msp_diagnostics_routes(): return {result}")
        installed.plugin(name, f"from msp_core.diagnostics import Route\n{source}")

    def test_order(self, installed: Installed) -> None:
        """Routes come in declared order."""
        self.routes(installed, "a", f"[{ROUTE.format(path='/a')}, {ROUTE.format(path='/b')}]")
        self.routes(installed, "b", f"({ROUTE.format(path='/c')},)")
        routes = load("b", "a").diagnostics_routes(CONTRACT)

        assert [route.path for route in routes] == ["/c", "/a", "/b"]

    def test_same_path(self, installed: Installed) -> None:
        """Two plugins must not answer one path."""
        self.routes(installed, "a", f"[{ROUTE.format(path='/a')}]")
        self.routes(installed, "b", f"[{ROUTE.format(path='/a')}]")

        with pytest.raises(PluginError, match=r"plugin 'b', .* gives /a, which exists already"):
            load("a", "b").diagnostics_routes(CONTRACT)

    @pytest.mark.parametrize(("result", "kind"), [("7", "int"), ("['/a']", "str")])
    def test_wrong_result(self, installed: Installed, result: str, kind: str) -> None:
        """What is no list of routes is refused."""
        self.routes(installed, "kv", result)

        with pytest.raises(PluginError, match=f"a value of type {kind}, expected a list of Route"):
            load("kv").diagnostics_routes(CONTRACT)


FAILURE = cast("FailedStart", object())


class TestStartFailed:
    def test_order(self, installed: Installed) -> None:
        """Every plugin that wants to know is told, in declared order."""
        for name in ("a", "b"):
            source = hook(f"def msp_start_failed(failure): told.append(({name!r}, failure))")
            installed.plugin(name, f"import fake_log\ntold = fake_log.told\n{source}")
        installed.plugin("silent")
        installed.module("fake_log", "told = []")
        load("b", "silent", "a").start_failed(FAILURE)
        told = sys.modules["fake_log"].told

        assert told == [("b", FAILURE), ("a", FAILURE)]


class TestStartPart:
    SOURCE = """
from contextlib import contextmanager
from msp_core.hookspecs import hookimpl

told = []

@hookimpl
@contextmanager
def msp_start_part(contract, part):
    told.append(f"enter {part}")
    yield
    told.append(f"leave {part}")
"""

    def test_around(self, installed: Installed) -> None:
        """What a plugin gives is around the part; a plugin may give nothing."""
        installed.plugin("kv", self.SOURCE)
        installed.plugin("none", hook("def msp_start_part(part): return None"))
        with load("none", "kv").start_part(CONTRACT, "start"):
            inside = list(sys.modules["fake_kv"].told)

        assert inside == ["enter start"]
        assert sys.modules["fake_kv"].told == ["enter start", "leave start"]

    def test_wrong_result(self, installed: Installed) -> None:
        """Anything else is named."""
        installed.plugin("kv", hook("def msp_start_part(part): return 7"))
        with (
            pytest.raises(PluginError, match="returned a value of type int, expected a context"),
            load("kv").start_part(CONTRACT, "start"),
        ):
            raise AssertionError("entered")
