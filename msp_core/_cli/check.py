"""`msp check`: everything short of starting. Resolves, loads and reads, opens nothing.

With `--max-start` it starts the service as well, with the variables it has, once all else is well.

`--format json` prints one object:

    {"service": str,
     "checks": [{"id": str, "status": "pass" | "warning" | "fail", "message": str}],
     "summary": {"passed": int, "warnings": int, "failed": int}}

An `id` is `plugin.NAME`, `variable.NAME`, or for all variables of one owner `variables.core`,
`variables.plugin.NAME`, `variables.service`; or `service.NAME`, for what that plugin finds wrong
with what is installed of the service; or `start`, with `--max-start`. The command leaves with 0
when nothing failed, warnings or not; with 78 when only variables failed; with 1 when a plugin or
the start did. `--strict` makes
every warning a failure of a variable. `--image` judges what an image holds, and of the environment
only what is set: what the platform is to set later is not missing yet.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import attrs

from msp_core._cli.plugins import states_without_assembly
from msp_core._cli.start_time import median_start
from msp_core._plugins.service_hooks import ServiceHooks
from msp_core._text.durations import format_seconds
from msp_core._text.records import NEVER_SHOWN, render_json
from msp_core._text.table import TextTable
from msp_core._text.terminal import Terminal
from msp_core.assembly import Assembly
from msp_core.assembly._states import PluginState, plugin_states
from msp_core.commands import ServiceArguments, add_format, add_service_arguments, service_name
from msp_core.config._go import parse_duration
from msp_core.config._reading import is_missing
from msp_core.errors import ConfigError, PluginError, Problem, UsageError
from msp_core.integration import Command

_COLOURS = {"pass": "green", "warning": "yellow", "fail": "red"}


@attrs.frozen
class Finding:
    """One thing that was checked.

    Attributes:
        id: what was checked, stable: `variable.PORT`.
        status: `pass`, `warning` or `fail`.
        message: one sentence; never a value.
        exit_code: of the command when nothing worse failed.
    """

    id: str
    status: str
    message: str
    exit_code: int = attrs.field(default=0, metadata=NEVER_SHOWN)

    def strictly(self) -> Finding:
        """Return the finding with a warning made a failure."""
        if self.status != "warning":
            return self
        return attrs.evolve(self, status="fail", exit_code=ConfigError.exit_code)


@attrs.frozen(kw_only=True)
class Summary:
    """How many findings there are of each status."""

    passed: int
    warnings: int
    failed: int

    @classmethod
    def of(cls, findings: Sequence[Finding]) -> Summary:
        """Count the findings."""
        counts = Counter(finding.status for finding in findings)
        return cls(passed=counts["pass"], warnings=counts["warning"], failed=counts["fail"])

    def __str__(self) -> str:
        """Return `3 passed, 1 warnings, 0 failed`."""
        return f"{self.passed} passed, {self.warnings} warnings, {self.failed} failed"


@attrs.frozen
class CheckReport:
    """What `--format json` prints.

    Attributes:
        service: its name.
        checks: everything that was checked.
        summary: of them.
    """

    service: str
    checks: Sequence[Finding]
    summary: Summary


def check_command(environ: Mapping[str, str]) -> Command:
    """Return the command; it judges these variables."""

    def run(arguments: argparse.Namespace) -> int:
        chosen = ServiceArguments.of(arguments)
        service = chosen.find(environ)
        findings = _findings(chosen, service, environ, image=arguments.image)
        if arguments.max_start is not None and not _exit_code(findings):
            findings.append(_start_finding(chosen, service, environ, arguments.max_start))
        if arguments.strict:
            findings = [finding.strictly() for finding in findings]
        terminal = Terminal.of(sys.stdout, environ)
        json_asked = arguments.format == "json"
        report = CheckReport(service_name(service), findings, Summary.of(findings))
        text = render_json(report) if json_asked else _text(findings, terminal)
        sys.stdout.write(f"{text}\n")
        return _exit_code(findings)

    return Command(
        name="check",
        help="check plugins and variables of a service without starting it",
        configure=_configure,
        run=run,
    )


def _configure(parser: argparse.ArgumentParser) -> None:
    add_service_arguments(parser)
    parser.add_argument("--strict", action="store_true", help="let warnings fail the check, too")
    parser.add_argument(
        "--image",
        action="store_true",
        help="check what an image holds, before a platform sets its variables: none is missing",
    )
    parser.add_argument(
        "--max-start",
        type=_duration,
        metavar="800ms",
        help="start the service three times and stop it again; fail when the median is longer",
    )
    add_format(parser, "text", "json")


def _duration(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError:
        raise argparse.ArgumentTypeError("expected a duration, such as 800ms or 1.5s") from None


def _start_finding(
    chosen: ServiceArguments, service: object, environ: Mapping[str, str], most: float
) -> Finding:
    """Start the service and judge how long that took.

    Raises:
        UsageError: it is a job, whose start cannot be told from its work.
    """
    if ServiceHooks(service).is_job:
        raise UsageError("a job is never ready, expected a service for --max-start")
    seconds = median_start(chosen, environ)
    if seconds is None:
        return Finding("start", "fail", "it does not start: `msp run` says why", 1)
    text = f"ready after {format_seconds(seconds)}, at most {format_seconds(most)} is wanted"
    if seconds > most:
        return Finding("start", "fail", f"{text}: `msp run --profile-start` says what takes it", 1)
    return Finding("start", "pass", text)


def _findings(
    chosen: ServiceArguments, service: object, environ: Mapping[str, str], *, image: bool
) -> list[Finding]:
    try:
        assembly = chosen.assemble(service, environ)
        wrong = assembly.plugins.check_service(service)
    except PluginError as error:
        findings = list(_plugin_findings(states_without_assembly(chosen, service), image=image))
        # Plugins that load one by one and not together have no finding of their own.
        together = Finding(f"plugin.{error.plugin}", "fail", str(error), error.exit_code)
        return findings if _exit_code(findings) else [*findings, together]
    return [
        *_plugin_findings(plugin_states(assembly), image=image),
        *(_service_finding(plugin.name, problem) for plugin, problem in wrong),
        *_variable_findings(assembly, image=image),
    ]


def _service_finding(plugin: str, problem: str) -> Finding:
    return Finding(f"service.{plugin}", "fail", f"{plugin}: {problem}", ConfigError.exit_code)


def _plugin_findings(states: Sequence[PluginState], *, image: bool) -> Iterator[Finding]:
    """Judge the declared plugins; one that is loaded and not configured may be meant so."""
    for state in states:
        name, message = f"plugin.{state.name}", f"{state.name}: {state.reason}"
        if state.declared and not state.loaded:
            yield Finding(name, "fail", message, PluginError.exit_code)
        elif state.declared and image:
            yield Finding(name, "pass", f"{state.name}: {state.distribution} is loaded")
        elif state.declared and state.needed and not state.configured:
            yield Finding(name, "fail", message, ConfigError.exit_code)
        elif state.declared:
            yield Finding(name, "pass" if state.configured else "warning", message)


def _variable_findings(assembly: Assembly, *, image: bool) -> Iterator[Finding]:
    problems = [one for one in assembly.problems if not (image and is_missing(one))]
    wrong = {problem.owner for problem in (*problems, *assembly.ignored)}
    for owner, amount in Counter(variable.owner for variable in assembly.variables).items():
        if owner not in wrong:
            message = f"{owner}: nothing wrong with {amount} variables"
            yield Finding(f"variables.{_short(assembly, owner)}", "pass", message)
    for problem in problems:
        code = ConfigError.exit_code
        yield Finding(f"variable.{problem.variable}", "fail", str(problem), code)
    for problem in assembly.ignored:
        yield _ignored_finding(assembly, problem)
    for sentence in assembly.near_misses:
        yield Finding(f"variable.{sentence.partition(' ')[0]}", "warning", sentence)


def _ignored_finding(assembly: Assembly, problem: Problem) -> Finding:
    """Judge an ignored value: a failure where it asks for a plugin, which would then do nothing."""
    name, message = f"variable.{problem.variable}", str(problem)
    if any(problem in integration.ignored for integration in assembly.integrations):
        return Finding(name, "fail", message, ConfigError.exit_code)
    return Finding(name, "warning", message)


def _short(assembly: Assembly, owner: str) -> str:
    """Return an owner without its version, which would make the id of a finding unstable."""
    plugins = {plugin.owner: f"plugin.{plugin.name}" for plugin in assembly.plugins.loaded}
    return plugins.get(owner, "core" if owner == "core" else "service")


def _exit_code(findings: Sequence[Finding]) -> int:
    """Return 1 before 78: a plugin that cannot be loaded may hide variables."""
    return min((one.exit_code for one in findings if one.exit_code), default=0)


def _text(findings: Sequence[Finding], terminal: Terminal) -> str:
    table = TextTable(
        header=("warning", ""),  # never shown; the widest status, so that all reports align
        rows=[(finding.status, finding.message) for finding in findings],
        terminal=terminal,
        colours=_COLOURS,
    )
    return "\n".join([*table.lines()[1:], f"Summary: {Summary.of(findings)}"])
