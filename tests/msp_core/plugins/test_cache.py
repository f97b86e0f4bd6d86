"""What a service declares is kept between starts, for as long as it is true and no longer."""

from __future__ import annotations

import json
import logging
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import importlib_metadata
import pytest

from msp_core._plugins import cache
from msp_core._plugins.cache import MOST, DeclarationCache, _expect_trusted
from msp_core._plugins.resolution import resolve
from msp_core.errors import PluginError, UsageError
from tests.msp_core.installed import Installed
from tests.msp_core.kept import IS_SITE, Environment


@pytest.fixture
def environment(installed: Installed, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """Give an environment with a service that was installed a while ago."""
    monkeypatch.setattr(cache, "_is_site", IS_SITE)
    monkeypatch.setattr(sys, "prefix", str(installed.folder.parent))
    made = Environment(installed)
    made.fill()
    return made


def make_pipe(file: Path) -> None:
    """Put a pipe in the place of a file."""
    file.unlink()
    os.mkfifo(file)


def refuse(*_: object, **__: object) -> None:
    """Do what a read-only file system does."""
    raise OSError(30, "Read-only file system")


def write_again(path: Path, text: str | None = None) -> None:
    """Write a file in place, with the same text or another, as no installer would."""
    path.write_text(path.read_text() if text is None else text)


class TestKept:
    def test_second_start(self, environment: Environment) -> None:
        """The second start has the same declaration, and has not asked metadata for it."""
        first, second = environment.start(), environment.start()

        assert not first.cached
        assert second.cached
        assert second == first
        assert [plugin.name for plugin in second.plugins] == ["kv"]

    def test_each_question(self, environment: Environment) -> None:
        """Services, and choices of plugins, have each an answer of their own in one file."""
        environment.installed.service("shop")
        environment.age()
        environment.start(), environment.start("shop")
        environment.start(plugins=["kv"]), environment.start(plugins=())

        assert [plugin.name for plugin in environment.start().plugins] == ["kv"]
        assert environment.start().distribution == "guestbook"
        assert environment.start("shop").plugins == ()
        assert environment.start("shop").cached
        assert [one.reason for one in environment.start(plugins=["kv"]).plugins] == [
            "given in plugins="
        ]
        assert environment.start(plugins=["kv"]).cached
        assert environment.start(plugins=()).plugins == ()

    def test_other_class_and_distribution(self, environment: Environment) -> None:
        """What depends on the class, or on distribution=, is answered for that alone."""
        resolve(Script(), cache=DeclarationCache.of({}))

        for service, distribution in [(Script(), "guestbook"), (Elsewhere(), None), (Script, None)]:
            found = resolve(service, distribution=distribution, cache=DeclarationCache.of({}))
            assert found.cached is (service is Script)

    def test_oldest_goes(self, environment: Environment) -> None:
        """The file does not grow without end; what was asked first goes first."""
        for number in range(MOST + 1):
            kept = DeclarationCache.of({})
            assert kept is not None
            kept.keep(str(number), number, [])

        kept = DeclarationCache.of({})
        assert kept is not None
        assert kept.find("0", int) is None
        assert [kept.find(str(number), int) for number in (1, MOST)] == [1, MOST]

    def test_asked_again_is_newest(self, environment: Environment) -> None:
        """An answer that was found out anew is the newest one."""
        for number in (*range(MOST), 0, MOST):
            kept = DeclarationCache.of({})
            assert kept is not None
            kept.keep(str(number), number, [])

        assert [*json.loads(environment.file.read_text())["answers"]][-2:] == ["0", str(MOST)]

    def test_whole_seconds(self, environment: Environment) -> None:
        """An image's layers keep whole seconds of every time; the declaration is kept in them."""
        environment.start()
        for path in (*environment.installed.folder.rglob("*"), environment.installed.folder):
            seconds = path.stat().st_mtime_ns // 1_000_000_000
            os.utime(path, (seconds, seconds))

        assert environment.start().cached

    def test_other_current_folder(
        self, environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The folder of a script, on the path of one command only, changes nothing."""
        environment.start()
        (tmp_path / "code").mkdir()
        monkeypatch.syspath_prepend(str(tmp_path / "code"))

        assert environment.start().cached

    def test_core_in_an_archive(
        self, environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A core whose code is in no folder keeps declarations all the same."""
        monkeypatch.setattr(cache, "__file__", str(tmp_path / "app.pyz" / "_plugins" / "cache.py"))
        environment.start()

        assert environment.start().cached

    def test_script_without_metadata(self, environment: Environment) -> None:
        """That no distribution lists a service is an answer, too, until one does."""
        first, second = (resolve(Script(), cache=DeclarationCache.of({})) for _ in range(2))

        assert (first.distribution, first.cached) == (None, False)
        assert second.cached
        assert second == first

        environment.installed.distribution(
            "scripts", entry_points={"msp.services": {"script": f"{__name__}:Script"}}
        )

        assert resolve(Script(), cache=DeclarationCache.of({})).distribution == "scripts"


class TestSeen:
    """Whatever an answer depends on is seen at the next start."""

    @pytest.mark.parametrize("distribution", ["guestbook", "msp-kv", "msp-core", "attrs"])
    @pytest.mark.parametrize("name", ["METADATA", "entry_points.txt"])
    def test_metadata_in_place(
        self, environment: Environment, distribution: str, name: str
    ) -> None:
        """Metadata that was written in place is read again, of each distribution that was asked."""
        environment.start()
        write_again(environment.metadata(distribution, name))

        assert not environment.start().cached

    def test_same_time(self, environment: Environment) -> None:
        """Metadata of another size is other metadata, whatever its time says."""
        environment.start()
        file = environment.metadata("guestbook")
        then = file.stat().st_mtime_ns
        write_again(file, file.read_text().replace("Requires-Dist: msp-core[kv]\n", ""))
        os.utime(file, ns=(then, then))

        assert environment.start().plugins == ()

    def test_file_added(self, environment: Environment) -> None:
        """A distribution that begins to provide a plugin is seen."""
        file = environment.metadata("attrs", "entry_points.txt")
        file.unlink()
        environment.age()
        environment.start()
        file.write_text("[msp.plugins]\nlate = late\n")

        assert [plugin.name for plugin in environment.start().plugins] == ["kv", "late"]

    def test_installed_beside(self, environment: Environment) -> None:
        """Whatever is installed or removed is seen by the time of the folder it was in."""
        environment.start()
        environment.installed.distribution("msp-other")
        then = environment.start()
        environment.age()
        environment.start()
        shutil.rmtree(environment.metadata("msp-other").parent)

        assert not then.cached
        assert not environment.start().cached

    def test_other_path(
        self, environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A folder in front that has another version of a plugin is seen."""
        environment.start()
        other = Installed(tmp_path / "other")
        other.folder.mkdir()
        other.plugin("kv", version="0.1.7")
        monkeypatch.syspath_prepend(str(other.folder))

        assert [plugin.version for plugin in environment.start().plugins] == ["0.1.7"]

    def test_other_python(self, environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
        """Markers are evaluated for one Python; another one asks anew."""
        environment.start()
        monkeypatch.setattr(sys, "version", "3.99")

        assert not environment.start().cached

    def test_other_core(
        self, environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Another version of the code that resolves takes no answer of this one."""
        code = tmp_path / "code"
        shutil.copytree(Path(cache.__file__).parent, code)
        monkeypatch.setattr(cache, "__file__", str(code / "cache.py"))
        environment.start()
        again = environment.start()
        os.utime(code / "metadata.py", (1, 1))

        assert again.cached
        assert not environment.start().cached

    def test_changed_just_now(self, environment: Environment) -> None:
        """What was changed just before might be changed again within the same tick: not kept."""
        now = 2 * 10**18
        os.utime(environment.installed.folder, ns=(now, now))

        assert not environment.start().cached
        assert not environment.start().cached
        assert not environment.file.exists()

    def test_metadata_changed_just_now(self, environment: Environment) -> None:
        """The same goes for the files that were read."""
        now = 2 * 10**18 + 1
        os.utime(environment.metadata("msp-kv"), ns=(now, now))

        environment.start()
        assert not environment.start().cached

    def test_problems(self, environment: Environment) -> None:
        """A problem is found out anew at each start, and gone as soon as it is mended."""
        shutil.rmtree(environment.metadata("msp-kv").parent)
        environment.age()
        for _ in range(2):
            with pytest.raises(PluginError, match="msp-kv is not installed"):
                environment.start()
        environment.installed.plugin("kv")

        assert [plugin.name for plugin in environment.start().plugins] == ["kv"]

    def test_service_gone(self, environment: Environment) -> None:
        """A service that was uninstalled is not found because it once was."""
        environment.start()
        shutil.rmtree(environment.metadata("guestbook").parent)

        with pytest.raises(UsageError, match="no service is named 'guestbook'"):
            environment.start()

    def test_not_in_a_folder(
        self, environment: Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Metadata that comes from anywhere else cannot be watched, so nothing is kept of it."""
        monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Elsewhere()])
        declaration = environment.start(plugins=["far"])

        assert [plugin.distribution for plugin in declaration.plugins] == ["msp-far"]
        assert not environment.start(plugins=["far"]).cached


class TestOff:
    def test_variable(self, environment: Environment) -> None:
        """`MSP_DECLARATION_CACHE=false` neither reads nor writes."""
        environment.start(MSP_DECLARATION_CACHE="false")
        written = environment.file.exists()
        environment.start()

        assert not written
        assert not environment.start(MSP_DECLARATION_CACHE="false").cached
        assert environment.start(MSP_DECLARATION_CACHE="true").cached

    def test_wrong_variable(self, environment: Environment) -> None:
        """A value that means nothing is told with the other variables, and keeps nothing."""
        assert DeclarationCache.of({"MSP_DECLARATION_CACHE": "maybe"}) is None

    @pytest.mark.parametrize("prefix", ["elsewhere", "site-packages-of-others"])
    def test_outside(
        self, environment: Environment, monkeypatch: pytest.MonkeyPatch, prefix: str
    ) -> None:
        """Nothing is kept outside the environment, such as beside packages in a home."""
        monkeypatch.setattr(sys, "prefix", str(environment.installed.folder.parent / prefix))

        assert DeclarationCache.of({}) is None

    def test_no_site_packages(
        self, environment: Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A folder of sources inside the environment is no place for it; that of Debian is one."""
        places = []
        for name in ("sources", "dist-packages"):
            folder = environment.installed.folder.with_name(name)
            shutil.copytree(environment.installed.folder, folder)
            monkeypatch.setattr(sys, "path", [str(folder)])
            places.append(DeclarationCache.of({}))

        assert [place is not None for place in places] == [False, True]


class TestTrust:
    def test_rights(self, environment: Environment) -> None:
        """The file has the owner and the rights of site-packages, less what others may write."""
        environment.installed.folder.chmod(0o777)
        environment.start()
        found, site = environment.file.stat(), environment.installed.folder.stat()

        assert stat.S_IMODE(found.st_mode) == 0o664
        assert (found.st_uid, found.st_gid) == (site.st_uid, site.st_gid)

        environment.file.unlink()
        environment.installed.folder.chmod(0o750)
        environment.start()

        assert stat.S_IMODE(environment.file.stat().st_mode) == 0o640

    @pytest.mark.parametrize(
        ("site", "file", "shift", "trusted"),
        [
            (0o755, 0o644, 0, True),
            (0o775, 0o664, 0, True),
            (0o755, 0o664, 0, False),
            (0o755, 0o646, 0, False),
            (0o777, 0o666, 0, False),
            (0o755, 0o644, 1, False),
        ],
    )
    def test_owner_and_rights(
        self, tmp_path: Path, *, site: int, file: int, shift: int, trusted: bool
    ) -> None:
        """Trusted is what nobody else can have written than who can write site-packages."""
        path = tmp_path / "file"
        path.touch()
        path.chmod(file)
        tmp_path.chmod(site)
        fields = list(path.stat())
        fields[stat.ST_UID] += shift

        try:
            _expect_trusted(os.stat_result(fields), tmp_path.stat())
        except PermissionError:
            assert not trusted
        else:
            assert trusted

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda file: file.write_text(file.read_text()[:-9]),
            lambda file: file.write_text("[]"),
            lambda file: file.write_text("{}"),
            lambda file: file.write_bytes(b"\xff\xfe"),
            lambda file: file.write_text(""),
            lambda file: file.chmod(0o646),
            lambda file: file.symlink_to(file.rename(file.with_name("own"))),
            make_pipe,
        ],
        ids=["truncated", "list", "empty", "bytes", "nothing", "writable", "link", "pipe"],
    )
    def test_spoilt_file(
        self,
        environment: Environment,
        caplog: pytest.LogCaptureFixture,
        spoil: Callable[[Path], object],
    ) -> None:
        """A file that is not to be trusted is one debug line, and is replaced by a good one."""
        environment.start()
        spoil(environment.file)
        caplog.set_level(logging.DEBUG, "msp.plugins")
        again = DeclarationCache.of({})
        assert again is not None
        lines = [(record.name, record.levelname) for record in caplog.records]
        declaration = environment.start()

        assert lines == [("msp.plugins", "DEBUG")]
        assert not declaration.cached
        assert environment.start().cached

    def test_spoilt_answer(self, environment: Environment) -> None:
        """An answer that is not what was written is found out anew."""
        environment.start()
        content = json.loads(environment.file.read_text())
        for answer in content["answers"].values():
            answer["answer"] = {"plugins": []}
        environment.file.write_text(json.dumps(content))

        assert [plugin.name for plugin in environment.start().plugins] == ["kv"]

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
    def test_foreign_file(self, environment: Environment, caplog: pytest.LogCaptureFixture) -> None:
        """The file of another user is not read, though it is what this version would write."""
        environment.start()
        os.chown(environment.file, 12345, -1)
        caplog.set_level(logging.DEBUG, "msp.plugins")
        kept = DeclarationCache.of({})

        assert kept is not None
        assert not environment.start().cached
        assert "it belongs to another user than site-packages" in caplog.text

    def test_cannot_write(
        self,
        environment: Environment,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A read-only image is one debug line; nothing is left behind, nothing fails."""
        caplog.set_level(logging.DEBUG, "msp.plugins")
        environment.file.mkdir()
        kept = DeclarationCache.of({})
        assert kept is not None
        kept.keep("question", 1, [])
        first = [record.getMessage() for record in caplog.records]
        environment.file.rmdir()
        monkeypatch.setattr(tempfile, "NamedTemporaryFile", refuse)
        kept = DeclarationCache.of({})
        assert kept is not None
        kept.keep("question", 1, [])
        second = [record.getMessage() for record in caplog.records][len(first) :]

        assert len(first) == 1
        assert "cannot be trusted, Is a directory" in first[0]
        assert len(second) == 1
        assert "cannot be written, Read-only file system" in second[0]
        assert [*environment.file.parent.glob(f"{environment.file.name}*")] == []


class Script:
    """A service that no distribution lists."""


class Elsewhere:
    """A finder of a distribution whose metadata is in no folder."""

    def find_spec(self, *_: object) -> None: ...

    def find_distributions(
        self, context: importlib_metadata.DistributionFinder.Context
    ) -> Iterator[importlib_metadata.Distribution]:
        if context.name in (None, "msp-far"):
            yield Far()


class Far(importlib_metadata.Distribution):
    """A distribution in memory."""

    def read_text(self, filename: str) -> str | None:
        return {
            "METADATA": "Name: msp-far\nVersion: 1.0\n",
            "entry_points.txt": "[msp.plugins]\nfar = far\n",
        }.get(str(filename))

    def locate_file(self, path: object) -> Path:
        raise AssertionError
