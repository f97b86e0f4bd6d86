"""Environment: a made-up one to keep declarations in, with a service and what it requires."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import attrs

from msp_core._plugins import cache
from msp_core._plugins.cache import FILE, DeclarationCache
from msp_core._plugins.declaration import Declaration
from msp_core._plugins.resolution import resolve
from msp_core.services import find_service
from tests.msp_core.installed import Installed

# What tests in this process go without, unless they ask for it.
IS_SITE = cache._is_site


@attrs.frozen
class Environment:
    """A Python environment whose site-packages holds fake distributions.

    Attributes:
        installed: what is in it.
    """

    installed: Installed

    @property
    def file(self) -> Path:
        """Where declarations are kept."""
        return self.installed.folder.with_name(FILE)

    def fill(self) -> None:
        """Install a service `guestbook`, its plugin `kv`, the core, and `attrs`."""
        self.installed.core(kv=["msp-kv"])
        self.installed.distribution("attrs")
        self.installed.plugin("kv")
        self.installed.service("guestbook", requires=["msp-core[kv]", "attrs"])
        self.age()

    def age(self, seconds: int = 10) -> None:
        """Let all that is installed have been there for a while."""
        then = time.time_ns() - seconds * 1_000_000_000 - 1
        for path in (*self.installed.folder.rglob("*"), self.installed.folder):
            os.utime(path, ns=(then, then))

    def metadata(self, distribution: str, name: str = "METADATA") -> Path:
        """Return a file of a distribution's metadata."""
        return self.installed.folder / f"{distribution.replace('-', '_')}-0.1.0.dist-info" / name

    def start(
        self, name: str = "guestbook", plugins: Sequence[str] | None = None, **environ: str
    ) -> Declaration:
        """Find and resolve a service as its start does."""
        service = find_service(name, environ)
        return resolve(service, plugins=plugins, cache=DeclarationCache.of(environ))
