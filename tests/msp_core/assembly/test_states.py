"""How far each plugin came, and the reason given."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from msp_core._plugins.resolution import examine
from msp_core.assembly import assemble
from msp_core.assembly._states import (
    PluginState,
    installed_states,
    plugin_states,
    states_before_assembly,
)
from msp_core.services import find_service
from tests.msp_core.installed import SERVICE, Installed, plugin_source

NEEDS_URL = plugin_source("url: str = env('KV_URL')")
LOGIN = """
    @attrs.frozen
    class Local:
        dsn: str = env("KV_DSN")

    @attrs.frozen
    class Login:
        host: str = env("KV_HOST")
        user: str = env("KV_USER")
"""


def states(
    installed: Installed, environ: Mapping[str, str], *requires: str
) -> dict[str, PluginState]:
    """Return the states of a service's plugins, by name."""
    installed.service("guestbook", SERVICE, requires=requires)
    found = plugin_states(assemble(find_service("guestbook"), {"PORT": "0", **environ}))
    return {state.name: state for state in found}


def test_undeclared(installed: Installed) -> None:
    """An installed plugin that is not declared says where it would be."""
    installed.plugin("kv", "raise RuntimeError")
    state = states(installed, {})["kv"]

    assert state.state == "installed"
    assert (state.declared, state.loaded, state.configured) == (False, False, False)
    assert state.reason == "installed 0.1.0, not declared in the dependencies of guestbook"


def test_not_configured(installed: Installed) -> None:
    """A declared plugin whose variable is not set names the variable."""
    installed.plugin("kv", NEEDS_URL)
    state = states(installed, {}, "msp-kv")["kv"]

    assert state.state == "loaded"
    assert state.reason == "required by guestbook, not configured because KV_URL is not set"


def test_not_configured_with_a_choice(installed: Installed) -> None:
    """Where there are several ways to configure, all are named."""
    installed.plugin("kv", plugin_source("login: Local | Login", before=LOGIN))
    state = states(installed, {}, "msp-kv")["kv"]

    assert state.reason.endswith(
        "not configured because neither KV_DSN nor KV_HOST with KV_USER is set"
    )


def test_not_configured_is_not_for_want_of_an_option(installed: Installed) -> None:
    """Variables that it can do without are not named, those that it cannot do without all are."""
    fields = 'url: str = env("KV_URL")\n    key: str = env("KV_KEY")\n    login: Login | None'
    installed.plugin("kv", plugin_source(fields, before=LOGIN))
    state = states(installed, {"KV_HOST": "here"}, "msp-kv")["kv"]

    assert state.reason.endswith("not configured because neither KV_URL nor KV_KEY is set")


def test_half_configured(installed: Installed) -> None:
    """A plugin whose variables have problems says which, without the value."""
    installed.plugin("kv", plugin_source("login: Local | Login", before=LOGIN))
    state = states(installed, {"KV_USER": "hunter2"}, "msp-kv")["kv"]

    assert not state.configured
    assert "not configured because KV_HOST is missing" in state.reason
    assert "hunter2" not in state.reason


def test_alone_is_unset(installed: Installed) -> None:
    """A variable that asks for nothing by itself configures nothing, and is not named as why."""
    login = LOGIN.replace('env("KV_USER")', 'env("KV_USER", alone_is_unset=True)')
    installed.plugin("kv", plugin_source("login: Local | Login", before=login))
    installed.service("guestbook", SERVICE, requires=["msp-kv"])
    service = find_service("guestbook")
    alone, both = (
        plugin_states(assemble(service, {"PORT": "0", "KV_USER": "me", **more}))[0].reason
        for more in ({}, {"KV_HOST": "here"})
    )

    assert alone.endswith("not configured because neither KV_DSN nor KV_HOST with KV_USER is set")
    assert both.endswith("configured by KV_HOST")


def test_configured(installed: Installed) -> None:
    """A configured plugin names the variables that configured it."""
    installed.plugin("kv", NEEDS_URL)
    state = states(installed, {"KV_URL": "hunter2"}, "msp-kv")["kv"]

    assert state.state == "configured"
    assert state.reason == "required by guestbook, configured by KV_URL"


def test_needs_no_variable(installed: Installed) -> None:
    """An integration without required variables is always configured."""
    installed.plugin("kv")
    state = states(installed, {}, "msp-kv")["kv"]

    assert state.configured
    assert state.reason == "required by guestbook, configured, needs no variable"


def test_no_integration(installed: Installed) -> None:
    """A plugin that provides no integration lacks nothing."""
    installed.plugin("kv", "")
    state = states(installed, {}, "msp-kv")["kv"]

    assert state.configured
    assert state.reason == "required by guestbook, provides nothing to configure"


def test_order(installed: Installed) -> None:
    """Declared plugins come first, in declared order, then the others by name."""
    for name in ("a", "b", "c", "d"):
        installed.plugin(name)
    names = [name for name in states(installed, {}, "msp-d", "msp-b") if len(name) == 1]

    assert names == ["d", "b", "a", "c"]


class TestBeforeAssembly:
    @pytest.fixture
    def found(self, installed: Installed) -> dict[str, PluginState]:
        """Return the states of a service of which several plugins cannot be loaded."""
        installed.plugin("fine")
        installed.plugin("broken", "import nowhere")
        installed.plugin("old", requires=["msp-core<0.1"])
        installed.service("guestbook", requires=[f"msp-{n}" for n in ("gone", "old")])
        declaration = examine(find_service("guestbook"), plugins=["fine", "broken", "old", "gone"])
        return {state.name: state for state in states_before_assembly(declaration)}

    def test_missing(self, found: dict[str, PluginState]) -> None:
        """A plugin that is not installed gets the install command."""
        state = found["gone"]

        assert state.state == "missing"
        assert state.reason == (
            "given in plugins= but no installed distribution provides it:"
            " run `pip install msp-gone`"
        )

    def test_required_but_missing(self, installed: Installed) -> None:
        """What a table says of a plugin does not repeat its name, which has a column."""
        installed.service("guestbook", requires=["msp-gone"])
        [state, *_] = states_before_assembly(examine(find_service("guestbook")))

        assert (state.name, state.reason) == (
            "gone",
            "required by guestbook but msp-gone is not installed: run `pip install msp-gone`",
        )

    def test_misfit(self, found: dict[str, PluginState]) -> None:
        """A plugin for another core says which."""
        state = found["old"]

        assert state.state == "declared"
        assert state.reason == "needs msp-core<0.1 but 0.1.0 is installed: upgrade one of them"

    def test_broken(self, found: dict[str, PluginState]) -> None:
        """A plugin that cannot be imported shows the error."""
        state = found["broken"]

        assert (state.declared, state.loaded) == (True, False)
        assert state.reason == (
            "given in plugins=, not loaded because it cannot be imported:"
            " ModuleNotFoundError: No module named 'nowhere'"
        )

    def test_fine(self, found: dict[str, PluginState]) -> None:
        """A plugin beside a broken one is loaded, and nothing is said of its variables."""
        state = found["fine"]

        assert state.state == "loaded"
        assert "variables not read because another plugin" in state.reason


def test_without_service(installed: Installed) -> None:
    """Without a service the installed plugins are listed, none imported."""
    installed.plugin("kv", "raise RuntimeError")
    [state] = [state for state in installed_states() if state.name == "kv"]

    assert state.state == "installed"
    assert state.reason == "installed 0.1.0; no service was named"
