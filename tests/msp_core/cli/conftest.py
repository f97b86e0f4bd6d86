"""What tests of commands share."""

from __future__ import annotations

import pytest

from tests.msp_core.command_line import CONFIG, LOGIN, Shell
from tests.msp_core.installed import Installed, plugin_source


@pytest.fixture
def msp(capsys: pytest.CaptureFixture[str]) -> Shell:
    """Give what carries out command lines."""
    return Shell(capsys)


@pytest.fixture
def guestbook(installed: Installed) -> Installed:
    """Install a service with a config of its own and one plugin that has alternatives."""
    installed.plugin("kv", plugin_source("login: Local | Login", before=LOGIN))
    installed.service("guestbook", CONFIG, requires=["msp-kv"])
    return installed
