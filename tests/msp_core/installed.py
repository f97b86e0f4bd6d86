"""Installed: a folder of fake distributions, found the way real ones are."""

from __future__ import annotations

import importlib
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

# Source of a service that can be assembled.
SERVICE = """
    from msp_core.hookspecs import hookimpl

    class Service:
        name = "guestbook"
        version = "1.2.3"

        @hookimpl
        async def msp_initialize(self): ...
"""


def plugin_source(fields: str = "", *, before: str = "", needs: str = "") -> str:
    """Return the source of a plugin that works.

    Args:
        fields: of its config class.
        before: what stands above that class.
        needs: further arguments of its record.
    """
    return f"""
import attrs
from msp_core.config import env
from msp_core.hookspecs import hookimpl
from msp_core.integration import API, Integration, Role
{textwrap.dedent(before)}
@attrs.frozen
class Config:
    {fields or "pass"}

class Client: ...
def open_client(config, contract): ...

@hookimpl
def msp_integration():
    name = __name__.removeprefix("fake_")
    return Integration(
        name=name, config=Config, client=Client, open=open_client, {needs.strip()}
    )
"""


@attrs.frozen
class Installed:
    """A folder on `sys.path` to which fake distributions are added.

    Attributes:
        folder: holds modules and `<name>.dist-info` folders, as site-packages does.
    """

    folder: Path

    def module(self, name: str, source: str) -> None:
        """Write a module; its dots become folders."""
        path = self.folder / (name.replace(".", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source), encoding="utf-8")
        importlib.invalidate_caches()

    def distribution(
        self,
        name: str,
        version: str = "0.1.0",
        *,
        requires: Sequence[str] = (),
        extras: Sequence[str] = (),
        entry_points: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """Write the metadata of a distribution, entry points by group."""
        info = self.folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        lines = ["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}"]
        lines += [f"Provides-Extra: {extra}" for extra in extras]
        lines += [f"Requires-Dist: {requirement}" for requirement in requires]
        (info / "METADATA").write_text("\n".join([*lines, ""]), encoding="utf-8")
        groups = [
            "\n".join([f"[{group}]", *(f"{key} = {value}" for key, value in entries.items())])
            for group, entries in (entry_points or {}).items()
        ]
        (info / "entry_points.txt").write_text("\n\n".join([*groups, ""]), encoding="utf-8")
        importlib.invalidate_caches()

    def core(self, version: str = "0.1.0", **extras: Sequence[str]) -> None:
        """Write metadata of the core that hides the real one's: what each extra requires."""
        lines = [
            f"{line} {'and' if ';' in line else ';'} extra == '{extra}'"
            for extra, required in extras.items()
            for line in required
        ]
        self.distribution("msp-core", version, requires=["attrs", *lines], extras=list(extras))

    def plugin(
        self,
        name: str,
        source: str | None = None,
        *,
        distribution: str | None = None,
        version: str = "0.1.0",
        requires: Sequence[str] = ("msp-core>=0.1,<0.2",),
    ) -> None:
        """Write a distribution that provides one plugin, by default a working one."""
        module = f"fake_{name}"
        self.distribution(
            distribution or f"msp-{name}",
            version,
            requires=requires,
            entry_points={"msp.plugins": {name: module}},
        )
        self.module(module, plugin_source() if source is None else source)

    def service(
        self, name: str, source: str = "", *, requires: Sequence[str] = ("msp-core",)
    ) -> None:
        """Write a distribution that provides one service, the class `Service` of its module."""
        self.distribution(
            name, requires=requires, entry_points={"msp.services": {name: f"{name}:Service"}}
        )
        self.module(name, source or f"class Service:\n    name = {name!r}\n    version = '1'\n")
