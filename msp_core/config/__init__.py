"""Configuration: declared once on attrs classes, loaded from a given mapping of variables.

    @attrs.frozen(kw_only=True)
    class Config:
        greeting: str = env("GREETING", default="hello", help="first word of every answer")
        token: Secret = env("GUESTBOOK_TOKEN", help="signs the cookies")
        timeout: Duration = env("GUESTBOOK_TIMEOUT", default=5.0, help="of one query")
        turnstile: TurnstileConfig  # a fragment, declared where it is used

A field is read from one variable, or is itself such a class (a fragment, at any depth).
`Fragment | None` is all or nothing; `OneFragment | OtherFragment` takes the first that the
environment mentions by setting a variable it requires (one that requires none always counts).
Types: str, int, float, bool, Duration, Percent, URL, Secret, Path, an Enum (by value), Literal,
list[X] and tuple[X, ...] of those (comma separated), and `X | None`. What has more parts is JSON
in one variable: an attrs class without env(), dict[str, X], a union of attrs classes, and lists
of these; see docs/howto/json-variables.md. A variable that is set to
nothing is a problem, unless `env(..., empty_is_unset=True)` says that it counts as unset;
`alone_is_unset=True` says so of one without which its fragment is not asked for, and
`invalid_is_unset=True` says that a value which will not do is ignored with a warning. Types
are resolved when a class is loaded, so they must be defined or imported at the top of its module.
"""

from __future__ import annotations

from msp_core.config._api import describe, load, parse_environ
from msp_core.config._kinds import URL, Duration, Percent
from msp_core.config._variables import Group, Variable, env
from msp_core.secret import Secret

__all__ = [
    "URL",
    "Duration",
    "Group",
    "Percent",
    "Secret",
    "Variable",
    "describe",
    "env",
    "load",
    "parse_environ",
]
