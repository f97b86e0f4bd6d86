"""LogConfig: what the log variables say, with the same meaning as for a Go service."""

from __future__ import annotations

import logging

import attrs

from msp_core.config import env
from msp_core.errors import InvalidValue
from msp_core.platforms import Platform

# Level of `none`: above every level a program logs at.
SILENT = 1000

LEVELS = {
    "debug": logging.DEBUG,
    "dbug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "eror": logging.ERROR,
    "crit": logging.CRITICAL,
    "none": SILENT,
}
FORMATS = {
    "json": "json",
    "logfmt": "json",
    "json_gcp": "json_gcp",
    "console": "console",
    "condensed": "console",
}
DEFAULT_LEVEL = "info"

# Libraries that say too much at info; at debug they may.
TALKATIVE = {
    "httpx": logging.WARNING,  # a line per request, with the whole URL, secrets and all
    "uvicorn.error": logging.WARNING,  # six lines for what `msp.http` says in one
}

_LEVEL_NAMES = "debug, info, warn, error, none"
_FORMAT_NAMES = "json, json_gcp, console"


def parse_scope_levels(text: str) -> dict[str, str]:
    """Return the text of each logger's level in `scope=level,…`; what names no logger is left out.

    Raises:
        InvalidValue: an entry has no `=`.
    """
    levels: dict[str, str] = {}
    for entry in filter(None, text.split(",")):
        scope, separator, level = (part.strip() for part in entry.partition("="))
        if not separator:
            raise InvalidValue("scope=level entries separated by commas, such as msp.http=debug")
        if scope:
            levels[scope] = level
    return levels


def _level(text: str) -> int:
    """Return the level as `logging` counts it; the default when it is unknown, as in Go."""
    return LEVELS.get(text.lower(), LEVELS[DEFAULT_LEVEL])


def _check_scope_levels(text: str) -> None:
    parse_scope_levels(text)


@attrs.frozen(kw_only=True, eq=False)
class LogConfig:
    """How much is logged, and in which shape.

    Attributes:
        level: of every logger that has none of its own. From `SRC_LOG_LEVEL`, default `info`.
        format: of a line. From `SRC_LOG_FORMAT`; None leaves it to `format_on`.
        scope_levels: levels of single loggers and their children, which hold whatever `level`
            is; the longest matching name decides. From `SRC_LOG_SCOPE_LEVEL`.
        development: chooses the console format when it is exactly `true`; anything else keeps
            JSON on a terminal, too. From `SRC_DEVELOPMENT`.
        sampling_initial: how many lines of one text are written in a second before the others are
            sampled. From `SRC_LOG_SAMPLING_INITIAL`, default 0: every line is written.
        sampling_thereafter: of the others, each whose number is a multiple of this is written. From
            `SRC_LOG_SAMPLING_THEREAFTER`, default 100; 0 or less switches sampling off, too.
    """

    level: str = env(
        "SRC_LOG_LEVEL",
        default=DEFAULT_LEVEL,
        help=f"least level that is logged: {_LEVEL_NAMES}",
        empty_is_unset=True,
    )
    format: str | None = env(
        "SRC_LOG_FORMAT",
        default=None,
        help=f"shape of a log line: {_FORMAT_NAMES}; default json, json_gcp on Google Cloud, "
        "console on a laptop's terminal",
        empty_is_unset=True,
    )
    scope_levels: str | None = env(
        "SRC_LOG_SCOPE_LEVEL",
        default=None,
        help="levels of single loggers and their children: scope=level,...",
        validator=_check_scope_levels,
        empty_is_unset=True,
    )
    development: str | None = env(
        "SRC_DEVELOPMENT",
        default=None,
        help="true makes console the default log format",
        empty_is_unset=True,
    )
    sampling_initial: int = env(
        "SRC_LOG_SAMPLING_INITIAL",
        default=0,
        help="lines of one text per second before the others are sampled; 0 writes every line",
        empty_is_unset=True,
    )
    sampling_thereafter: int = env(
        "SRC_LOG_SAMPLING_THEREAFTER",
        default=100,
        help="of the sampled lines, one in so many is written; 0 writes every line",
        empty_is_unset=True,
    )

    def root_level(self) -> int:
        """Return the level as `logging` counts it; the default when it is unknown."""
        return _level(self.level)

    @property
    def sampled(self) -> bool:
        """Whether some lines are left out when they repeat too fast."""
        return self.sampling_initial > 0 and self.sampling_thereafter > 0

    def scopes(self) -> dict[str, int]:
        """Return the level of each logger that has its own."""
        levels = TALKATIVE if self.root_level() == logging.INFO else {}
        return levels | {scope: _level(level) for scope, level in self._scope_levels().items()}

    def _scope_levels(self) -> dict[str, str]:
        return parse_scope_levels(self.scope_levels or "")

    def format_on(self, platform: Platform, *, watched: bool = False) -> str:
        """Return `json`, `json_gcp` or `console`; an unknown format counts as unset.

        Args:
            platform: chooses the JSON format.
            watched: whether a person reads along; chooses the console where no variable does.
        """
        if self.format is not None and self.format.lower() in FORMATS:
            return FORMATS[self.format.lower()]
        if self.development == "true" or (watched and self.development is None):
            return "console"
        return "json_gcp" if platform.google else "json"

    def doubts(self) -> tuple[str, ...]:
        """Return one sentence for each variable whose value is unknown and therefore ignored.

        A Go service starts with such a value, so this is no configuration problem.
        """
        sentences: list[str] = []
        if self.level.lower() not in LEVELS:
            sentences.append(
                f"SRC_LOG_LEVEL is ignored: expected one of {_LEVEL_NAMES}; using {DEFAULT_LEVEL}"
            )
        if self.format is not None and self.format.lower() not in FORMATS:
            sentences.append(f"SRC_LOG_FORMAT is ignored: expected one of {_FORMAT_NAMES}")
        if not {level.lower() for level in self._scope_levels().values()}.issubset(LEVELS):
            sentences.append(
                f"SRC_LOG_SCOPE_LEVEL has an unknown level: expected one of {_LEVEL_NAMES}; "
                f"using {DEFAULT_LEVEL} there"
            )
        return tuple(sentences)
