"""PGDSN: a Go template with one field, `{{ .Database }}`, and the connection string it renders to.

The Go runtime parses the variable with text/template, so its forms are understood here: spaces,
trim marks (`{{- … -}}`) and comments. Functions and control structures are not.
"""

from __future__ import annotations

import re
from typing import ClassVar

import attrs

from msp_core.errors import MSPError

_SPACE = " \t\r\n"  # what Go's lexer takes for space; trim marks remove exactly these
_COMMENT = re.compile(rf"/\*(?:(?!\*/).)*\*/(?P<trim>[{_SPACE}]-)?\}}\}}", re.DOTALL)
_ACTION = re.compile(rf"(?P<body>.*?)(?P<trim>[{_SPACE}]-)?\}}\}}", re.DOTALL)
_NOWHERE = "/msp-nowhere"
# What libpq judges only once it is connected, or leaves to psycopg.
_NUMBERS = (
    "connect_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
)
_FIELD = re.compile(r"(?:\.[^\W\d]\w*)+")


class DSNError(MSPError):
    """PGDSN cannot be used; the text never holds any of it.

    Attributes:
        expected: what would be accepted.
    """

    exit_code = 78
    expected: ClassVar[str]


class TemplateSyntaxError(DSNError):
    """PGDSN is not a template."""

    expected = "every '{{' closed by '}}', with {{ .Database }} or a comment in between"

    def __init__(self) -> None:
        super().__init__(f"PGDSN is not a valid template: expected {self.expected}")


class TemplateFieldError(DSNError):
    """PGDSN is a template that asks for a field which does not exist."""

    expected = "{{ .Database }} as the only field"

    def __init__(self) -> None:
        super().__init__(f"PGDSN template is invalid: expected {self.expected}")


class RenderedDSNError(DSNError):
    """PGDSN rendered to something that libpq does not take for a connection string."""

    expected = (
        "a URL such as postgresql://user:password@host:5432/{{ .Database }}, percent-encoded, "
        "or pairs such as host=localhost dbname={{ .Database }}, with parameters and values that "
        "libpq takes"
    )

    def __init__(self) -> None:
        super().__init__(f"rendered PGDSN is invalid: expected {self.expected}")


@attrs.frozen(eq=False)
class Template:
    """A parsed PGDSN.

    Attributes:
        texts: what stands around the database's name: before the first place, between two, and
            after the last, so one more than there are places.
    """

    texts: tuple[str, ...] = attrs.field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Template:
        """Return the template that Go would make of the text.

        Raises:
            TemplateSyntaxError: an action is not closed, or not one that is understood.
            TemplateFieldError: it has a field other than `.Database`.
        """
        texts, unknown_field = [""], False
        literal, opened, rest = text.partition("{{")
        while opened:
            if rest[:1] == "-" and rest[1:2] in tuple(_SPACE):
                literal, rest = literal.rstrip(_SPACE), rest[2:]
            texts[-1] += literal
            action = _action(rest)
            field = (action.groupdict().get("body") or "").strip(_SPACE)
            if field == ".Database":
                texts.append("")
            unknown_field |= field not in ("", ".Database")
            rest = rest[action.end() :]
            if action["trim"]:
                rest = rest.lstrip(_SPACE)
            literal, opened, rest = rest.partition("{{")
        if unknown_field:  # Go finds these only once the whole text has parsed
            raise TemplateFieldError
        texts[-1] += literal
        return cls(tuple(texts))

    def render(self, database: str) -> str:
        """Return the text with the database's name in every place for it, as it is."""
        return database.join(self.texts)


def _action(rest: str) -> re.Match[str]:
    if rest.startswith("/*"):
        found = _COMMENT.match(rest)
    else:
        found = _ACTION.match(rest)
        if found and not _FIELD.fullmatch(found["body"].strip(_SPACE)):
            found = None
    if not found:
        raise TemplateSyntaxError
    return found


def parameters(conninfo: str) -> dict[str, str]:
    """Return libpq's parameters in a rendered PGDSN.

    Raises:
        RenderedDSNError: libpq does not take it.
    """
    import psycopg  # noqa: PLC0415 - vendor library: imported where the resource is opened
    from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415 - same

    try:
        found = conninfo_to_dict(conninfo)
    except psycopg.ProgrammingError:
        raise RenderedDSNError from None  # the cause quotes the string
    return {name: str(value) for name, value in found.items() if value is not None}


def check_values(conninfo: str) -> None:
    """Raise unless libpq takes the values of a rendered PGDSN; connects to nothing.

    Raises:
        RenderedDSNError: libpq does not take it, or a value in it.
    """
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415 - vendor library: see below
    from psycopg.pq import PGconn  # noqa: PLC0415 - vendor library: only libpq can judge

    found = parameters(conninfo)
    if not all(map(_is_number, map(found.get, _NUMBERS))):
        raise RenderedDSNError
    # libpq judges the values when a connection begins, before it connects: so one begins, to
    # sockets in a folder that does not exist, as many as there are hosts.
    hosts = (found.pop("hostaddr", None) or found.get("host", "")).split(",")
    nowhere = {**found, "host": ",".join([_NOWHERE] * len(hosts))}
    begun = PGconn.connect_start(make_conninfo("", **nowhere).encode())
    began = _NOWHERE.encode() in begun.error_message
    begun.finish()
    if not began:
        raise RenderedDSNError


def _is_number(value: str | None) -> bool:
    return value is None or value.strip().lstrip("+-").isdecimal()
