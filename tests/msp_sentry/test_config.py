"""Variables of Sentry: nothing of them keeps a service from starting, and `msp check` tells."""

from __future__ import annotations

import json

import pytest
from sentry_sdk.utils import BadDsn, Dsn

from msp_core import ConfigError, load
from msp_core._cli.main import main
from msp_core.config import Secret
from msp_core.errors import InvalidValue, Problem
from msp_sentry import SentryConfig
from msp_sentry._config import check_dsn
from tests.msp_sentry.conftest import Service

DSN = "https://key@sentry.example/1"

DSNS = {
    DSN: True,
    "http://key@127.0.0.1:9000/1": True,
    "https://key:secret@o1.ingest.sentry.example/some/path/42": True,
    "HTTPS://key@sentry.example/1": True,
    "https://key@[::1]:9000/1": True,
    "https://key@sentry.example/1?environment=prod": True,
    "https://key@sentry.example:/1": True,
    "": False,
    "nonsense": False,
    "key@sentry.example/1": False,
    "ftp://key@sentry.example/1": False,
    "https://sentry.example/1": False,
    "https://:secret@sentry.example/1": False,
    "https://key@/1": False,
    "https://key@sentry.example": False,
    "https://key@sentry.example/": False,
    "https://key@sentry.example/1/": False,
    "https://key@sentry.example/guestbook": False,
    "https://key@sentry.example:none/1": False,
    "https://key@sentry.example:65536/1": False,
    "https://key@[::1/1": False,
}


def load_noting(environ: dict[str, str]) -> tuple[SentryConfig, list[Problem]]:
    """Load the variables; return what is ignored of them, too."""
    ignored: list[Problem] = []
    return load(SentryConfig, environ, on_ignored=ignored.append), ignored


def sdk_takes(dsn: str) -> bool:
    """Return whether the SDK makes something of a DSN."""
    try:
        Dsn(dsn)
    except (BadDsn, ValueError):
        return False
    return True


def test_defaults() -> None:
    """All errors are reported and no request is traced unless somebody says otherwise."""
    config, ignored = load_noting({"SENTRY_DSN": DSN})

    assert config.dsn == Secret(DSN)
    assert (config.sample_rate, config.traces_sample_rate) == (1.0, 0.0)
    assert ignored == []


def test_asks_for_sentry() -> None:
    """Without a DSN nobody asks for Sentry."""
    with pytest.raises(ConfigError, match="SENTRY_DSN is missing"):
        load(SentryConfig, {})


@pytest.mark.parametrize(("dsn", "valid"), DSNS.items())
def test_dsns(dsn: str, *, valid: bool) -> None:
    """A DSN is taken when the SDK takes it."""
    try:
        check_dsn(Secret(dsn))
        taken = True
    except InvalidValue:
        taken = False

    assert taken == sdk_takes(dsn) == valid


@pytest.mark.parametrize("dsn", ["", "ftp://nobody-knows", "https://key@host:none/1"])
def test_malformed_dsn(dsn: str) -> None:
    """A malformed DSN is ignored: what was expected is told, and nothing of the value."""
    config, ignored = load_noting({"SENTRY_DSN": dsn})

    assert config.dsn is None
    (told,) = map(str, ignored)
    assert told.startswith("SENTRY_DSN ")
    assert "the value is ignored" in told
    assert "nobody" not in told


@pytest.mark.parametrize("name", ["SENTRY_SAMPLE_RATE", "SENTRY_TRACES_SAMPLE_RATE"])
@pytest.mark.parametrize(
    ("value", "taken"),
    [
        *((text, False) for text in ("1.01", "-0.1", "NaN", "", "often")),
        *((text, True) for text in ("0", "0.5", "1")),
    ],
)
def test_rates(name: str, value: str, *, taken: bool) -> None:
    """A rate is a share, and not a percentage; what is none counts as not set."""
    config, ignored = load_noting({"SENTRY_DSN": DSN, name: value})
    rates = {
        "SENTRY_SAMPLE_RATE": config.sample_rate,
        "SENTRY_TRACES_SAMPLE_RATE": config.traces_sample_rate,
    }
    defaults = {"SENTRY_SAMPLE_RATE": 1.0, "SENTRY_TRACES_SAMPLE_RATE": 0.0}

    assert [problem.variable for problem in ignored] == ([] if taken else [name])
    assert rates == {**defaults, name: float(value)} if taken else defaults


class Demanding(Service):
    """A service that cannot do without Sentry."""

    def __init__(self) -> None:
        from msp_sentry import Sentry  # noqa: PLC0415 - as services do

        self.needs = (Sentry,)


def check(
    capsys: pytest.CaptureFixture[str], environ: dict[str, str], service: type = Service
) -> tuple[int, dict[str, str]]:
    """Return exit code and findings of `msp check`."""
    command = ["check", f"{__name__}:{service.__name__}", "--plugins", "sentry"]
    code = main([*command, "--format", "json"], {"PORT": "8080", **environ})
    out = capsys.readouterr().out
    assert "nobody" not in out
    return code, {finding["id"]: finding["status"] for finding in json.loads(out)["checks"]}


class TestCheck:
    """What `msp check` says of them."""

    def test_fine(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A DSN is well."""
        code, found = check(capsys, {"SENTRY_DSN": DSN})

        assert code == 0
        assert set(found.values()) == {"pass"}

    @pytest.mark.parametrize("dsn", ["", "ftp://nobody-knows"])
    @pytest.mark.parametrize(("service", "plugin"), [(Service, "warning"), (Demanding, "fail")])
    def test_malformed_dsn(
        self, capsys: pytest.CaptureFixture[str], dsn: str, service: type, plugin: str
    ) -> None:
        """A malformed DSN is a problem: somebody asks for Sentry and would not get it."""
        code, found = check(capsys, {"SENTRY_DSN": dsn}, service)

        assert code == 78
        assert found == {
            "plugin.sentry": plugin,
            "variables.core": "pass",
            "variable.SENTRY_DSN": "fail",
        }

    def test_rate(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A rate that will not do is a warning: its default counts, and Sentry works."""
        code, found = check(capsys, {"SENTRY_DSN": DSN, "SENTRY_SAMPLE_RATE": "nobody"})

        assert code == 0
        assert found == {
            "plugin.sentry": "pass",
            "variables.core": "pass",
            "variable.SENTRY_SAMPLE_RATE": "warning",
        }
