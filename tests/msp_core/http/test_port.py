"""Ports that are taken: who has them, said before anything is started, and without a traceback."""

from __future__ import annotations

import errno
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from msp_core import PortError
from msp_core.dev import free_port
from msp_core.http._port import next_port, port_error, try_port
from msp_core.http._port_owner import port_owner
from tests.msp_core.installed import Installed, plugin_source
from tests.msp_core.program import StartProgram

LINUX = pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="only Linux tells")

SHARING = """
@hookimpl
async def msp_initialize(self, contract):
    import socket
    listener = socket.socket(socket.AF_INET6)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind(("::", contract.port))
    listener.listen()
    self.listener = listener
    print("listens", flush=True)
    return CallbackRoutine("own", start=lambda: contract.stop("seen"))
"""

LISTENER = """
import socket, sys
listener = socket.create_server((sys.argv[1], 0))
print(listener.getsockname()[1], flush=True)
sys.stdin.read()
"""


@pytest.fixture(params=["127.0.0.1", "0.0.0.0"])  # noqa: S104 - who listens on all has the port, too
def taken(request: pytest.FixtureRequest) -> Iterator[tuple[int, int]]:
    """Give a port that another process listens on, and that process's id."""
    command = [sys.executable, "-c", LISTENER, request.param]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:  # noqa: S603 - our own code
        assert process.stdout is not None
        yield int(process.stdout.readline()), process.pid
        process.communicate()


@pytest.fixture
def sharing() -> Iterator[socket.socket]:
    """Give a socket that listens on all interfaces and shares its port."""
    with socket.socket(socket.AF_INET6) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(("::", 0))
        listener.listen()
        yield listener


class TestTrying:
    """Whether a port can be had."""

    def test_free(self) -> None:
        """A port that nobody listens on can be had, and still is free afterwards."""
        port = free_port()
        try_port(port)
        try_port(port)
        try_port(0)

        assert port_owner(port) is None

    @LINUX
    def test_taken(self, taken: tuple[int, int]) -> None:
        """The error says which port, which process has it, and what to do."""
        port, pid = taken
        name = Path(f"/proc/{pid}/comm").read_text().strip()
        with pytest.raises(PortError) as caught:
            try_port(port)

        assert str(caught.value) == (
            f"port {port} is in use by process {pid} ({name}): stop that one, or choose another"
            " port with --port N or the variable PORT"
        )
        assert caught.value.port == port
        assert caught.value.__suppress_context__

    def test_system_that_does_not_tell(
        self, taken: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where nobody can know who has the port, the error says that much."""
        monkeypatch.setattr("msp_core.http._port_owner.PROC", tmp_path)
        with pytest.raises(PortError, match=f"port {taken[0]} is in use by another process: stop"):
            try_port(taken[0])

    def test_process_that_may_not_be_looked_at(
        self, taken: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Processes that end meanwhile, or are somebody else's, are passed over."""
        (tmp_path / "net").mkdir()
        for table in ("tcp", "tcp6"):
            (tmp_path / "net" / table).write_text(Path(f"/proc/net/{table}").read_text())
        (tmp_path / "4242" / "fd").mkdir(parents=True)
        (tmp_path / "4242" / "fd" / "0").touch()  # no link: it was closed
        (tmp_path / "4243").mkdir()
        (tmp_path / "self").mkdir()
        monkeypatch.setattr("msp_core.http._port_owner.PROC", tmp_path)

        assert port_owner(taken[0]) is None

    def test_shared(self, sharing: socket.socket) -> None:
        """One that others share can be had by who shares it, too, and by nobody else."""
        port = sharing.getsockname()[1]
        try_port(port, shared=True)

        with pytest.raises(PortError):
            try_port(port)

    def test_not_shared(self, taken: tuple[int, int]) -> None:
        """Who would share it does not get it from one that does not."""
        with pytest.raises(PortError):
            try_port(taken[0], shared=True)

    def test_not_allowed(self) -> None:
        """Any other refusal is told in the system's words."""
        error = port_error(80, PermissionError(errno.EACCES, "no"))

        assert str(error).startswith("port 80 cannot be listened on (Permission denied): choose")

    def test_next(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The next port is the first one from there that can be had."""
        with socket.create_server(("", 0)) as other:
            first = other.getsockname()[1]
            found = next_port(first)

        assert found > first
        assert next_port(found) == found

    def test_no_next(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """When the last port is taken there is no next one."""

        def refuse(port: int, *, shared: bool) -> None:
            raise OSError(errno.EADDRINUSE, "taken")

        monkeypatch.setattr("msp_core.http._port.bind", refuse)
        with pytest.raises(PortError, match="port 65535 is in use"):
            next_port(65_533)


IDLE = """
@hookimpl
async def msp_initialize(self, contract):
    return NoopRoutine("idle")
"""


SERVING = """
@hookimpl
async def msp_initialize(self, contract):
    from msp_core.http import HTTPServer
    return HTTPServer(print, contract, interface="asgi")
"""


class TestStart:
    """What a service says and does."""

    def test_before_anything_is_opened(
        self, program: StartProgram, installed: Installed, taken: tuple[int, int]
    ) -> None:
        """A taken port is one line, before resources are opened, and the process leaves with 1."""
        installed.plugin("opens", plugin_source(before="open_client = None") + OPENING)
        service = program(
            IDLE,
            {"PORT": str(taken[0]), "PYTHONPATH": str(installed.folder)},
            head='PLUGINS = ("opens",)',
        )

        assert service.code() == 1
        (line,) = service.lines
        assert line["Body"].startswith(f"failed to start: port {taken[0]} is in use by")
        assert "Stacktrace" not in line
        assert service.stdout == ""

    @pytest.mark.parametrize("group", ["{}", "CombinedRoutine(NoopRoutine(), {})"])
    def test_taken_meanwhile(self, program: StartProgram, group: str) -> None:
        """A port that is taken after it was tried is one line all the same, and no traceback."""
        port = free_port()
        service = program(
            f"""
            @hookimpl
            async def msp_initialize(self, contract):
                import socket
                from msp_core.http import HTTPServer
                self.other = socket.create_server(("", contract.port))
                return {group.format('HTTPServer(print, contract, interface="asgi")')}
            """,
            {"PORT": str(port)},
        )

        assert service.code() == 1
        (error,) = [text for text in service.errors() if "stopped by" not in text]
        assert error.startswith(f"service failed to start: port {port} is in use by process ")
        assert "Traceback" not in service.stderr
        assert "never retrieved" not in service.stderr

    def test_own_server_that_shares(self, program: StartProgram, sharing: socket.socket) -> None:
        """A service with a server of its own, such as gRPC's, starts beside one that runs."""
        service = program(SHARING, {"PORT": str(sharing.getsockname()[1])})

        assert service.code() == 0
        assert service.stdout == "listens\n"

    def test_http_server_does_not_share(
        self, program: StartProgram, sharing: socket.socket
    ) -> None:
        """The runtime's own server would get half of the other one's requests: it says so."""
        port = sharing.getsockname()[1]
        service = program(SERVING, {"PORT": str(port)})

        assert service.code() == 1
        (error,) = [text for text in service.errors() if "stopped by" not in text]
        assert error.startswith(f"service failed to start: port {port} is in use by ")

    def test_service_without_a_server(self, program: StartProgram) -> None:
        """Zero is a port for a service that listens on none: it can always be had."""
        service = program(
            """
            @hookimpl
            async def msp_initialize(self, contract):
                contract.stop("seen")
                return NoopRoutine("idle")
            """,
            {"PORT": "0"},
        )

        assert service.code() == 0

    def test_job_has_no_port(self, program: StartProgram, taken: tuple[int, int]) -> None:
        """A job listens on nothing, whatever PORT says."""
        job = program(
            """
            @hookimpl
            def msp_execute(self): ...
            """,
            {"PORT": str(taken[0])},
        )

        assert job.code() == 0


OPENING = """
from contextlib import asynccontextmanager

@asynccontextmanager
async def opened(config, contract):
    print("opened", flush=True)
    yield Client()

@hookimpl
def msp_integration():
    return Integration(name="opens", config=Config, client=Client, open=opened)
"""
