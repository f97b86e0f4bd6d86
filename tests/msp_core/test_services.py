"""Finding an installed service by name."""

from __future__ import annotations

import sys

import pytest

from msp_core.errors import PluginError, UsageError
from msp_core.services import distribution_of, find_service, services
from tests.msp_core.installed import Installed


@pytest.fixture
def only(installed: Installed, monkeypatch: pytest.MonkeyPatch) -> Installed:
    """Hide what is really installed, so that no other service is found."""
    monkeypatch.setattr(sys, "path", [str(installed.folder)])
    return installed


def kind(service: object) -> str:
    """Return where a service's class is."""
    return f"{type(service).__module__}:{type(service).__qualname__}"


def test_by_entry_point(installed: Installed) -> None:
    """A service is found by its entry point's name and made without arguments."""
    installed.service("guestbook")

    assert kind(find_service("guestbook")) == "guestbook:Service"


def test_by_path(installed: Installed) -> None:
    """A service without metadata is found by module and class."""
    installed.module("scripts", "class Outer:\n    class Inner: ...")

    assert kind(find_service("scripts:Outer.Inner")) == "scripts:Outer.Inner"


def test_object(installed: Installed) -> None:
    """An entry point may name an object that is made already."""
    installed.module("scripts", "service = {'made': True}")

    assert find_service("scripts:service") == {"made": True}


def test_module(installed: Installed) -> None:
    """An entry point may name a module."""
    installed.module("scripts", "")

    assert find_service("scripts:") is sys.modules["scripts"]


def test_only_one(only: Installed) -> None:
    """Without a name the only installed service is taken."""
    only.service("guestbook")

    assert kind(find_service()) == "guestbook:Service"


def test_none_installed(only: Installed) -> None:
    """Without a name and without a service the error says how to give one."""
    with pytest.raises(UsageError, match="no service is installed: give it as module:Class"):
        find_service()
    with pytest.raises(UsageError, match="no service is named 'zz': give it as module:Class"):
        find_service("zz")


def test_several_installed(only: Installed) -> None:
    """Without a name several services are listed."""
    only.service("shop")
    only.service("guestbook")

    assert [entry.name for entry in services()] == ["guestbook", "shop"]
    with pytest.raises(UsageError, match="are installed, guestbook, shop: say which one"):
        find_service()


def test_misspelt(only: Installed) -> None:
    """A name close to an installed one gets a suggestion."""
    only.service("guestbook")

    with pytest.raises(UsageError, match="'gestbook': did you mean 'guestbook'"):
        find_service("gestbook")
    with pytest.raises(UsageError, match="'zz': installed are guestbook"):
        find_service("zz")


@pytest.mark.parametrize("name", ["nowhere:X", "nowhere.inside:X"])
def test_no_module(name: str) -> None:
    """A module that is not there is a usage error."""
    with pytest.raises(UsageError, match="there is no module 'nowhere"):
        find_service(name)


def test_no_attribute(installed: Installed) -> None:
    """A class that is not there is a usage error."""
    installed.module("scripts", "")

    with pytest.raises(UsageError, match="module 'scripts' has no 'Job'"):
        find_service("scripts:Job")


def test_missing_import_inside(installed: Installed) -> None:
    """What the service itself fails to import is shown as it is."""
    installed.module("scripts", "import nowhere")

    with pytest.raises(ModuleNotFoundError, match="No module named 'nowhere'"):
        find_service("scripts:Job")


def test_import_error_without_a_name(installed: Installed) -> None:
    """An import error that a module makes itself is shown as it is."""
    installed.module("scripts", "raise ModuleNotFoundError('made up')")

    with pytest.raises(ModuleNotFoundError, match="made up"):
        find_service("scripts:Job")


def test_missing_plugin_comes_before_the_import_error(installed: Installed) -> None:
    """A service that imports a declared plugin that is gone is told how to install it."""
    installed.service("guestbook", "import msp_kafka", requires=["msp-core", "msp-kafka>=1"])

    with pytest.raises(PluginError, match="run `pip install msp-kafka`"):
        find_service("guestbook")
    with pytest.raises(PluginError, match="run `pip install msp-kafka`"):
        find_service("guestbook:Service")


def test_other_missing_modules_are_the_services_own_error(installed: Installed) -> None:
    """A module that no declared plugin brings is missed as Python says it."""
    installed.service("guestbook", "import nosuchlibrary")

    with pytest.raises(ModuleNotFoundError, match="nosuchlibrary"):
        find_service("guestbook")


def test_distribution_of_a_service(installed: Installed) -> None:
    """A service is told which distribution it belongs to; a class of a script belongs to none."""
    installed.service("guestbook")
    found = distribution_of(find_service("guestbook"))

    assert found is not None
    assert (found.name, found.version) == ("guestbook", "0.1.0")
    assert distribution_of(object()) is None
