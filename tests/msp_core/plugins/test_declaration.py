"""Resolution of declared plugins from installed metadata."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

import pytest

from msp_core._plugins.declaration import PLUGINS, Declaration
from msp_core._plugins.installed import entry_points
from msp_core._plugins.resolution import examine, resolve
from msp_core.errors import PluginError, UsageError
from msp_core.services import find_service
from tests.msp_core.installed import Installed


def declared(
    installed: Installed, *requires: str, plugins: Sequence[str] | None = None
) -> Declaration:
    """Resolve a service `guestbook` with these requirements."""
    installed.service("guestbook", requires=requires)
    return resolve(find_service("guestbook"), plugins=plugins)


def names(declaration: Declaration) -> list[str]:
    """Return the names of the declared plugins."""
    return [plugin.name for plugin in declaration.plugins]


class TestRequirements:
    def test_extra_of_the_core(self, installed: Installed) -> None:
        """An extra of the core stands for the plugin distribution it requires."""
        installed.core(kv=["msp-kv>=0.1"])
        installed.plugin("kv")
        declaration = declared(installed, "msp-core[kv]>=0.1")

        [plugin] = declaration.plugins
        assert declaration.distribution == "guestbook"
        assert plugin.owner == "plugin 'kv', msp-kv 0.1.0"
        assert plugin.reason == "required by guestbook through msp-core[kv]"
        assert plugin.entry_point == "fake_kv"

    def test_extra_that_refers_to_extras(self, installed: Installed) -> None:
        """`all` is expanded through the core's own extras, to any depth and around circles."""
        installed.core(
            kv=["msp-kv"], store=["msp-core[kv,both]"], both=["msp-core[store]", "msp-queue"]
        )
        installed.plugin("kv")
        installed.plugin("queue")

        assert sorted(names(declared(installed, "msp-core[both]"))) == ["kv", "queue"]

    def test_extra_is_written_differently(self, installed: Installed) -> None:
        """Extras and distributions are compared by their canonical names."""
        installed.core(Big_Table=["MSP_Big.Table"])
        installed.plugin("bigtable", distribution="msp-big-table")

        assert names(declared(installed, "MSP.core[big-table]")) == ["bigtable"]

    def test_requirement_without_the_core(self, installed: Installed) -> None:
        """A third party's plugin is declared by requiring its distribution directly."""
        installed.plugin("kafka", distribution="acme-kafka")
        [plugin] = declared(installed, "acme-kafka~=0.1").plugins

        assert plugin.distribution == "acme-kafka"
        assert plugin.reason == "required by guestbook"

    def test_marker_that_does_not_hold(self, installed: Installed) -> None:
        """A requirement counts only where its marker holds, the service's own extras never."""
        installed.core(kv=["msp-kv; python_version < '3'", "msp-queue; python_version > '3'"])
        installed.plugin("kv")
        installed.plugin("queue")
        installed.plugin("kafka")
        declaration = declared(
            installed, "msp-core[kv]", "msp-kafka; python_version < '3'", "msp-kv; extra == 'x'"
        )

        assert names(declaration) == ["queue"]

    def test_required_twice(self, installed: Installed) -> None:
        """A plugin required directly and through an extra is declared once."""
        installed.core(kv=["msp-kv"])
        installed.plugin("kv")

        assert names(declared(installed, "msp-kv", "msp-core[kv]")) == ["kv"]

    def test_other_requirements(self, installed: Installed) -> None:
        """A requirement that is missing, or no plugin, is somebody else's concern."""
        declaration = declared(installed, "no-such-library", "attrs", "msp-core")

        assert names(declaration) == []

    def test_transitive_requirement(self, installed: Installed) -> None:
        """What a required library requires is not declared by the service."""
        installed.plugin("kv")
        installed.distribution("library", requires=["msp-kv"])

        assert names(declared(installed, "library")) == []

    def test_plugin_of_the_service_itself(self, installed: Installed) -> None:
        """A plugin inside the service's own distribution needs no requirement."""
        groups = {"msp.services": {"own": "own:Service"}, "msp.plugins": {"kv": "own.kv"}}
        installed.distribution("own", entry_points=groups)
        installed.module("own", "class Service: ...")
        [plugin] = resolve(find_service("own")).plugins

        assert plugin.reason == "provided by own itself"

    def test_nothing_is_imported(self, installed: Installed) -> None:
        """Resolving imports neither what is declared nor what is not."""
        installed.plugin("kv", "raise RuntimeError")
        installed.plugin("heavy", "raise RuntimeError")
        declared(installed, "msp-kv")

        assert not {"fake_kv", "fake_heavy"} & set(sys.modules)


class TestProblems:
    def test_not_installed(self, installed: Installed) -> None:
        """A declared plugin that is missing gives one sentence with the install command."""
        installed.core(kv=["msp-kv>=0.1,<0.2"])
        with pytest.raises(PluginError) as caught:
            declared(installed, "msp-core[kv]")

        assert str(caught.value) == (
            "plugin 'kv' is required by guestbook through msp-core[kv] but msp-kv is not"
            " installed: run `pip install msp-kv`"
        )
        assert (caught.value.plugin, caught.value.distribution) == ("kv", "msp-kv")
        assert caught.value.version is None

    def test_several(self, installed: Installed) -> None:
        """Several problems are reported at once, one per line."""
        with pytest.raises(PluginError) as caught:
            declared(installed, "msp-kv", "msp-queue")

        assert [line[:18] for line in str(caught.value).splitlines()] == [
            "plugin 'kv' is req",
            "plugin 'queue' is ",
        ]
        assert caught.value.plugin == "kv, queue"

    def test_examined(self, installed: Installed) -> None:
        """Who only looks gets the problems beside the plugins that fit."""
        installed.plugin("kv")
        installed.service("guestbook", requires=["msp-kv", "msp-queue"])
        declaration = examine(find_service("guestbook"))

        assert names(declaration) == ["kv"]
        assert [problem.plugin for problem in declaration.problems] == ["queue"]

    def test_unknown_extra(self, installed: Installed) -> None:
        """A misspelt extra, which installers only warn about, is an error."""
        installed.core(kv=[], queue=[])
        with pytest.raises(PluginError) as caught:
            declared(installed, "msp-core[kw]")

        assert str(caught.value) == (
            "msp-core[kw] is required by guestbook but msp-core has no extra 'kw': it has kv, queue"
        )

    def test_needs_another_core(self, installed: Installed) -> None:
        """A plugin for another core is refused from its metadata, before it is imported."""
        installed.plugin("kv", "raise RuntimeError", requires=["attrs", "msp-core>=7"])
        with pytest.raises(PluginError) as caught:
            declared(installed, "msp-kv")

        assert str(caught.value).startswith(
            "plugin 'kv', msp-kv 0.1.0: needs msp-core>=7 but 0.1.0 is installed"
        )
        assert caught.value.version == "0.1.0"
        assert "fake_kv" not in sys.modules

    def test_prerelease_of_the_core(self, installed: Installed) -> None:
        """A pre-release inside the range fits."""
        installed.core("0.1.5.dev3")
        installed.plugin("kv")

        assert names(declared(installed, "msp-kv")) == ["kv"]

    def test_another_version_of_the_plugin(self, installed: Installed) -> None:
        """A plugin outside the range the service or the core asks for is refused."""
        installed.core(kv=["msp-kv<0.2"])
        installed.plugin("kv", version="0.3.0")
        with pytest.raises(PluginError) as caught:
            declared(installed, "msp-core[kv]")

        assert str(caught.value) == (
            "plugin 'kv', msp-kv 0.3.0: does not fit, msp-kv<0.2 is required by guestbook through"
            " msp-core[kv]: run `pip install 'msp-kv<0.2'`"
        )

    def test_same_name_twice(self, installed: Installed) -> None:
        """Two declared distributions must not provide plugins of one name."""
        installed.plugin("kv")
        installed.plugin("kv", distribution="acme-kv")
        with pytest.raises(PluginError) as caught:
            declared(installed, "msp-kv", "acme-kv")

        assert str(caught.value) == (
            "plugin 'kv', acme-kv 0.1.0: has the name of plugin 'kv', msp-kv 0.1.0: declare one"
            " of them, not both"
        )


class TestGivenNames:
    def test_instead_of_the_declaration(self, installed: Installed) -> None:
        """Given names replace what metadata says, in the order given."""
        for name in ("kv", "queue", "kafka"):
            installed.plugin(name)
        declaration = declared(installed, "msp-kafka", plugins=["queue", "kv"])

        assert names(declaration) == ["queue", "kv"]
        assert declaration.plugins[0].reason == "given in plugins="

    def test_not_installed(self) -> None:
        """A given name that nothing provides gets the likely install command."""
        with pytest.raises(PluginError, match=r"given in plugins= but .* `pip install msp-zz`"):
            resolve(object(), plugins=["zz"])

    def test_one_of_a_distribution(self, installed: Installed) -> None:
        """Of a distribution with several plugins only the named one is taken."""
        installed.distribution(
            "msp-many", entry_points={"msp.plugins": {"one": "one", "two": "two"}}
        )

        assert names(resolve(object(), plugins=["two"])) == ["two"]

    def test_unfit(self, installed: Installed) -> None:
        """A given plugin must fit this core too."""
        installed.plugin("kv", requires=["msp-core>=7"])
        with pytest.raises(PluginError, match="needs msp-core>=7"):
            resolve(object(), plugins=["kv"])


class TestDistribution:
    def test_given(self, installed: Installed) -> None:
        """A given distribution is taken where no entry point tells."""
        installed.plugin("kv")
        installed.distribution("guestbook", requires=["msp-kv"])

        assert names(resolve(object(), distribution="guestbook")) == ["kv"]

    def test_given_but_missing(self) -> None:
        """A given distribution that is not installed is a usage error."""
        with pytest.raises(UsageError, match="'zz' is not installed: run `pip install zz`"):
            resolve(object(), distribution="zz")

    def test_none(self) -> None:
        """A service that no distribution lists declares nothing, and that is no error."""
        declaration = resolve(object())

        assert declaration.distribution is None
        assert declaration.plugins == ()
        assert "lists the service under msp.services" in declaration.origin

    def test_named_unlike_its_package(self, installed: Installed) -> None:
        """The distribution is found by its entry point, whatever it is called."""
        installed.plugin("kv")
        installed.distribution(
            "acme-books",
            requires=["msp-kv"],
            entry_points={"msp.services": {"books": "guestbook:Service"}},
        )
        installed.module("guestbook", "class Service: ...")
        declaration = resolve(find_service("books"))

        assert declaration.distribution == "acme-books"
        assert names(declaration) == ["kv"]

    def test_entry_point_of_another_name(self, installed: Installed) -> None:
        """A class that the entry point reaches by another path still finds its distribution."""
        installed.distribution("shop", entry_points={"msp.services": {"shop": "shop:Public"}})
        installed.module("shop", "class Private: ...\nPublic = Private")

        assert resolve(find_service("shop")).distribution == "shop"

    def test_shared_package(self, installed: Installed) -> None:
        """Of two distributions with one package the one that lists the class itself is taken."""
        for name in ("one", "two"):
            installed.distribution(
                f"acme-{name}", entry_points={"msp.services": {name: f"acme:{name.title()}"}}
            )
        installed.module("acme", "class One: ...\nclass Two: ...\nclass Three: ...")

        assert resolve(find_service("two")).distribution == "acme-two"
        with pytest.raises(UsageError, match="several distributions, acme-one, acme-two"):
            resolve(importlib.import_module("acme").Three())


def test_installed_plugins(installed: Installed) -> None:
    """Every installed plugin is listed, declared or not."""
    installed.plugin("zz")
    installed.plugin("aa")

    found = [entry.name for entry in entry_points(PLUGINS)]
    assert found == sorted(found)
    assert {"aa", "zz"} <= set(found)
