"""The life of a process, seen from outside: its start, its lines and its exit code."""

from __future__ import annotations

import json
import signal
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from msp_core import CallbackRoutine, Routine, hookimpl, run
from tests.msp_core.installed import Installed, plugin_source
from tests.msp_core.life_sources import IDLE, Waiting
from tests.msp_core.program import StartProgram


def test_import_error_is_one_line(program: StartProgram) -> None:
    """A service that cannot be imported by its name is one log line with its traceback."""
    service = program(
        IDLE, head="import sys\nif __name__ != '__main__': 1 / 0", foot='start("probe:Service")'
    )

    assert service.code() == 1
    (line,) = service.lines
    assert line["Body"] == "failed to start: division by zero"
    assert line["Stacktrace"].endswith("ZeroDivisionError: division by zero")


def test_start_that_is_cancelled_from_inside(program: StartProgram) -> None:
    """A start that awaits what was cancelled has failed, as with any other error: exit 1."""
    service = program(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            raise asyncio.CancelledError
        """
    )

    assert service.code() == 1
    assert "service failed to start: it was cancelled, though nobody asked for a stop" in (
        service.errors()
    )


def test_dead_routine_stops_the_service(program: StartProgram) -> None:
    """A routine that raises while running stops everything in order: exit 1, cause logged once."""
    service = program(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            return CombinedRoutine(CallbackRoutine("other", stop=self.stop),
                                   CallbackRoutine("worker", start=self.work))
        async def work(self):
            await asyncio.sleep(0.05)
            raise OSError("disk on fire")
        async def stop(self, deadline):
            logging.getLogger("probe").info("other stopped")
        """,
        {"MSP_DRAIN_WINDOW": "1000s"},
    )

    assert service.code() == 1
    assert "other stopped" in service.stderr
    assert service.stderr.count("Traceback") == 1
    (cause,) = [line for line in service.lines if "disk on fire" in line.get("Body", "")]
    assert cause["Body"] == 'stopping the service: routine "worker" failed: disk on fire'
    assert "in work" in cause["Stacktrace"]
    assert service.ledger()["reason"] == 'routine "worker"'
    assert "drain" not in [step["name"] for step in service.ledger()["steps"]]


def test_routine_that_returns_stops_the_service(program: StartProgram) -> None:
    """A service whose routine just returns does not linger as a zombie: exit 1."""
    service = program(
        """
        @hookimpl
        def msp_initialize(self, contract):
            return CallbackRoutine("brief", start=lambda: None)
        """
    )

    assert service.code() == 1
    assert 'routine \\"brief\\" returned before it was stopped' in service.stderr


def test_failing_stop_is_not_0(program: StartProgram) -> None:
    """A stop that fails is logged with its cause and ends in exit 1, not 0."""
    service = program(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            return CallbackRoutine("untidy", stop=self.stop)
        async def stop(self, deadline):
            raise OSError("cannot flush")
        """
    )

    assert service.stop() == 1
    assert 'stop failed: stop routine "untidy": cannot flush' in service.errors()
    assert service.ledger()["steps"][0]["outcome"] == "failed"


def test_failing_start(program: StartProgram) -> None:
    """What msp_initialize raises is logged once with its traceback: exit 1."""
    service = program(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            raise LookupError("no such table")
        """
    )

    assert service.code() == 1
    assert service.stderr.count("Traceback") == 1
    assert "service failed to start: no such table" in service.errors()


def test_sys_exit_in_initialize(program: StartProgram) -> None:
    """A service that calls sys.exit while starting is unwound like any failed start."""
    service = program(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            sys.exit(5)
        """
    )

    assert service.code() == 1
    assert "called sys.exit" in service.stderr


def test_own_config_error_is_78(program: StartProgram) -> None:
    """A configuration problem that the service itself finds while starting is exit 78 too."""
    service = program(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            raise ConfigError([Problem(variable="THEME", owner="service", wrong="is missing")])
        """
    )

    assert service.code() == 78
    assert "THEME is missing" in service.stderr


def test_five_problems_in_one_report(program: StartProgram) -> None:
    """All problems are told at once, none shows a value: exit 78."""
    values = {
        "PORT": "eighty-hundred",
        "MSP": "perhaps-so",
        "DIAGNOSTICS_SECRET": "",
        "MSP_DRAIN_WINDOW": "a-while-longer",
        "RETRIES": "a-dozen-times",
    }
    service = program(
        "config = Config\n" + IDLE,
        values,
        head="""
        import attrs
        from msp_core.config import env

        @attrs.frozen
        class Config:
            retries: int = env("RETRIES", help="how often")
        """,
    )

    assert service.code() == 78
    assert len(service.lines) == 5
    assert {line["Attributes"]["variable"] for line in service.lines} == set(values)
    for value in filter(None, values.values()):
        assert value not in service.stdout + service.stderr


def test_plugin_that_is_missing(program: StartProgram) -> None:
    """A plugin that is asked for and not installed is one sentence, no traceback: exit 1."""
    service = program(IDLE, head='PLUGINS = ("nosuch",)')

    assert service.code() == 1
    (line,) = service.lines
    assert "nosuch" in line["Body"]
    assert "Stacktrace" not in line


def test_service_by_name(program: StartProgram) -> None:
    """A service given by its path is imported and run; what keeps it from that is one line."""
    service = program(IDLE, head="PLUGINS = ()", foot='start("probe:Service", plugins=())')

    assert service.stop() == 0


def test_service_by_a_wrong_name(program: StartProgram) -> None:
    """A service that cannot be found is one line without a traceback, and a usage error."""
    service = program(IDLE, foot='start("nosuch:Service")')

    assert service.code() == 2
    (line,) = service.lines
    assert line["Body"].startswith("failed to start: service 'nosuch:Service'")
    assert "Stacktrace" not in line


def test_broken_config_class(program: StartProgram) -> None:
    """A config that is no attrs class is a mistake in the program: one sentence, exit 2."""
    service = program("config = 42\n" + IDLE)

    assert service.code() == 2
    assert "failed to start" in service.stderr


def test_mistake_in_the_service(program: StartProgram) -> None:
    """What a mistake in the program raises before anything is opened is logged: exit 1."""
    service = program("config = property(lambda self: 1 / 0)\n" + IDLE)

    assert service.code() == 1
    assert "failed to start: division by zero" in service.errors()
    assert service.stderr.count("Traceback") == 1


@pytest.mark.parametrize(
    ("head", "loop"),
    [("", "uvloop"), ("import sys; sys.modules['uvloop'] = None", "asyncio.unix_events")],
    ids=["uvloop", "asyncio"],
)
def test_event_loop(program: StartProgram, head: str, loop: str) -> None:
    """The loop is uvloop's where that is installed, else the standard one."""
    service = program(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            loop = type(asyncio.get_running_loop()).__module__
            logging.getLogger("probe").info("loop of %s", loop)
            return NoopRoutine()
        """,
        head=head,
    )

    assert service.stop() == 0
    assert service.line(f"loop of {loop}")


def test_sanity_check(program: StartProgram) -> None:
    """SANITY_CHECK=true prints name and version and leaves with 0, whatever the environment."""
    service = program(IDLE, {"SANITY_CHECK": "true", "PORT": "nonsense"})

    assert service.code() == 0
    assert json.loads(service.stdout) == {"name": "probe", "version": "1.2.3"}
    assert service.stderr
    assert not service.stderr.endswith("\n")


@pytest.mark.parametrize("value", ["false", "1", "TRUE", ""])
def test_no_sanity_check(program: StartProgram, value: str) -> None:
    """Any other value than `true` asks for none: the start goes on, here to its bad port."""
    service = program(IDLE, {"SANITY_CHECK": value, "PORT": "nonsense"})

    assert (service.code(), service.stdout) == (78, "")


@pytest.mark.parametrize("flag", ["-h", "-help", "--help"])
def test_help_comes_before_problems(program: StartProgram, flag: str) -> None:
    """Help is printed and exits 0 although the environment is wrong; nothing is logged."""
    service = program(IDLE, {"PORT": "nonsense"}, flag)

    assert service.code() == 0
    assert "SERVICE: probe" in service.stdout
    assert "PORT" in service.stdout
    assert service.stderr == ""


def test_other_arguments_are_the_service_s(program: StartProgram) -> None:
    """Whatever else stands on the command line is left where the service finds it."""
    body = """
        @hookimpl
        async def msp_initialize(self, contract):
            print(sys.argv[1:])
            return NoopRoutine()
    """
    service = program(body, {}, "--verbose", "help", "-v")

    assert service.stop() == 0
    assert service.stdout == "['--verbose', 'help', '-v']\n"


@pytest.mark.parametrize(("msp", "severity"), [("true", "ERROR"), ("false", "WARN")])
def test_missing_diagnostics_secret(program: StartProgram, msp: str, severity: str) -> None:
    """A missing diagnostics secret is an error on a live platform and a warning elsewhere."""
    service = program(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            contract.diagnostics.asgi(None)
            return NoopRoutine()
        """,
        {"MSP": msp},
    )

    assert service.stop() == 0
    (line,) = [line for line in service.lines if "DIAGNOSTICS_SECRET" in line["Body"]]
    assert line["SeverityText"] == severity


def test_job_needs_no_diagnostics_secret(program: StartProgram) -> None:
    """A job has no endpoints that anybody could reach, so nothing is said of their secret."""
    job = program(
        """
        @hookimpl
        def msp_execute(self, contract): ...
        """,
        {"MSP": "true"},
    )

    assert job.code() == 0
    assert "DIAGNOSTICS_SECRET" not in job.stderr


def test_start_line(program: StartProgram) -> None:
    """One line says that the service started, on which port, where, with what."""
    service = program(IDLE, {"PORT": "4711", "DIAGNOSTICS_SECRET": "s3cret"})

    assert service.stop() == 0
    started = service.lines[0]
    assert started["Body"] == "service started"
    assert started["Attributes"]["port"] == 4711
    assert started["Attributes"]["msp"] is False
    assert started["Attributes"]["sentry"] is False


def test_instance(program: StartProgram) -> None:
    """Every line names the process by the id that the service, and its telemetry, know it by."""
    service = program(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            print(contract.instance_id)
            return NoopRoutine()
        """
    )

    assert service.stop() == 0
    named = {line["Resource"]["service.instance.id"] for line in service.lines}
    assert named == {service.stdout.strip()}


def test_drain_window(program: StartProgram) -> None:
    """On Kubernetes readiness turns red first, and the routine goes on for the window."""
    service = program(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            self.contract = contract
            return CallbackRoutine("worker", start=self.work, stop=self.stop)
        async def work(self):
            while not self.contract.diagnostics.health.draining:
                await asyncio.sleep(0.005)
            logging.getLogger("probe").info("drain seen")
            await asyncio.Event().wait()
        async def stop(self, deadline):
            raise RuntimeError("stop called")
        """,
        {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "MSP_DRAIN_WINDOW": "300ms"},
    )

    assert service.stop() == 1
    assert service.stderr.index("drain seen") < service.stderr.index("stop called")
    names = [step["name"] for step in service.ledger()["steps"]]
    assert names == ["drain", "worker"]


def test_death_cuts_the_drain_short(program: StartProgram) -> None:
    """Nobody waits out the window for a routine that is over."""
    service = program(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            self.contract = contract
            return CallbackRoutine("worker", start=self.work)
        async def work(self):
            while not self.contract.diagnostics.health.draining:
                await asyncio.sleep(0.005)
        """,
        {"MSP_DRAIN_WINDOW": "1000s", "MSP_SHUTDOWN_BUDGET": "2000s"},
    )

    assert service.stop() == 0


@pytest.mark.parametrize("port", ["-1", "65536"])
def test_port_out_of_range(program: StartProgram, port: str) -> None:
    """A port that does not exist is a configuration problem that says the range."""
    service = program(IDLE, {"PORT": port})

    assert service.code() == 78
    assert "a port from 0 to 65535" in service.stderr


def test_run_beside_the_main_thread() -> None:
    """A service can be run from any thread; signals are then left to whoever has the main one."""

    class Brief:
        name, version = "brief", "1"

        @hookimpl
        def msp_initialize(self) -> Routine:
            return CallbackRoutine("brief", start=lambda: None)

    before = signal.getsignal(signal.SIGTERM)
    with ThreadPoolExecutor() as threads:
        code = threads.submit(run, Brief(), environ={"PORT": "0"}, plugins=()).result()

    assert code == 1
    assert signal.getsignal(signal.SIGTERM) is before


def test_near_miss_is_warned_of(program: StartProgram) -> None:
    """A variable that nobody reads and that looks like a declared one is pointed out."""
    service = program(IDLE, {"ENVIROMENT_ID": "prod"})

    assert service.stop() == 0
    (line,) = [line for line in service.lines if "ENVIROMENT_ID" in line["Body"]]
    assert "ENVIRONMENT_ID" in line["Body"]
    assert line["SeverityText"] == "WARN"


@pytest.mark.parametrize(
    ("action", "line"),
    [
        ("print(failure.origin.name, failure.error.problems[0].variable, flush=True)", ""),
        ("raise OSError('no such host')", "msp_start_failed raised OSError"),
        ("time.sleep(1000)", "the failed start could not be reported in time"),
    ],
    ids=["reports", "raises", "hangs"],
)
def test_plugin_is_told_of_a_failed_start(
    program: StartProgram, installed: Installed, action: str, line: str
) -> None:
    """Problems of the configuration reach plugins that report errors; these cannot keep it up."""
    installed.plugin(
        "reporter",
        plugin_source('url: str = env("URL")', before="import time")
        + f"\n@hookimpl\ndef msp_start_failed(failure):\n    {action}\n",
    )
    service = program(
        IDLE,
        {"PYTHONPATH": str(installed.folder), "PORT": "none"},
        head='PLUGINS = ("reporter",)',
    )

    assert service.code() == 78
    assert service.stdout == ("" if line else "probe PORT\n")
    warnings = [text["Body"] for text in service.lines if text["SeverityText"] == "WARN"]
    assert len(warnings) == bool(line)
    assert line in "".join(warnings)


def test_failed_start_waits_two_seconds_for_plugins(
    installed: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who reports a failed start to a receiver that is down keeps the exit for that long."""
    installed.plugin(
        "reporter",
        plugin_source('url: str = env("URL")')
        + "\n@hookimpl\ndef msp_start_failed(failure):\n    pass\n",
    )
    waits: list[float | None] = []
    result = Future.result

    def note(future: Future[None], timeout: float | None = None) -> None:
        waits.append(timeout)
        result(future, timeout)

    monkeypatch.setattr(Future, "result", note)
    code = run(Waiting(), environ={"PORT": "none"}, plugins=("reporter",))

    assert code == 78
    assert waits == [2]
