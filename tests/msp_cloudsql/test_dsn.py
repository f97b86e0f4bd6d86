"""PGDSN: Go's template forms, and three errors that can be told apart and show nothing."""

from __future__ import annotations

import pytest

from msp_cloudsql import RenderedDSNError, TemplateFieldError, TemplateSyntaxError
from msp_cloudsql._dsn import Template, check_values, parameters
from msp_core import NoopRoutine, hookimpl
from msp_core._cli.main import main


class Idle:
    """A service."""

    name, version = "idle", "1"

    @hookimpl
    async def msp_initialize(self) -> NoopRoutine:
        """Give what does nothing."""
        return NoopRoutine("idle")


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("dbname={{ .Database }}", "dbname=db"),
        ("dbname={{.Database}}", "dbname=db"),
        ("dbname={{\n\t.Database\r\n}} user=me", "dbname=db user=me"),
        ("dbname= \t\r\n{{- .Database -}}\n user=me", "dbname=dbuser=me"),
        ("dbname={{ .Database -}} \n", "dbname=db"),
        ("dbname= {{- .Database }} ", "dbname=db "),
        ("a{{/* a }} comment {{ */}}b", "ab"),
        ("a {{- /* a comment */ -}} b", "ab"),
        ("{{.Database}}{{.Database}}", "dbdb"),
        ("no field", "no field"),
        ("}} is text { too }", "}} is text { too }"),
        ("", ""),
    ],
)
def test_renders_as_go_does(text: str, rendered: str) -> None:
    """One value of PGDSN must mean the same to a Go and to a Python service."""
    assert Template.parse(text).render("db") == rendered


@pytest.mark.parametrize(
    "text",
    [
        "hunter2{{",
        "hunter2{{ .Database",
        "hunter2{{ .Database }",
        "hunter2{{}}",
        "hunter2{{ -}}",
        "hunter2{{- -}}",
        "hunter2{{ Database }}",
        "hunter2{{ .1 }}",
        "hunter2{{-.Database}}",
        "hunter2{{.Database-}}",
        "hunter2{{ /* not where a comment may stand */ }}",
        "hunter2{{/* not closed }}",
        "hunter2{{/* not at the end */ .Database }}",
        "hunter2{{ .Database | urlquery }}",
        "hunter2{{ .Foo }}{{",
    ],
)
def test_tells_what_is_no_template(text: str) -> None:
    """Not a valid template: Go's parser would stop, or it is beyond what we understand."""
    with pytest.raises(TemplateSyntaxError, match="not a valid template") as caught:
        Template.parse(text)

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["hunter2{{ .Foo }}", "{{ .database }}", "{{ .Database.Name }}", "{{ .Füße }}"]
)
def test_tells_an_unknown_field(text: str) -> None:
    """Template is invalid: Go would parse it, and fail when it runs it."""
    with pytest.raises(TemplateFieldError, match="template is invalid") as caught:
        Template.parse(text)

    assert "hunter2" not in str(caught.value)
    assert "Foo" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "hunter2",
        "postgresql://me:hunter2@[::1/db",
        "host=localhost hunter2=1",
        "host=localhost password='hunter2",
    ],
)
def test_tells_what_libpq_does_not_take(text: str) -> None:
    """Rendered PGDSN is invalid: libpq's own text quotes the string, so it is left out."""
    with pytest.raises(RenderedDSNError, match="rendered PGDSN is invalid") as caught:
        parameters(text)

    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_gives_libpq_s_parameters() -> None:
    """URL and pairs come out alike."""
    wanted = {"user": "me", "password": "a b", "host": "localhost", "dbname": "db"}

    assert parameters("postgresql://me:a%20b@localhost/db") == wanted
    assert parameters("user=me password='a b' host=localhost dbname=db") == wanted


@pytest.mark.parametrize(
    "text",
    [
        "host=localhost dbname={{ .Database }}",
        "postgresql://me:a%20b@[::1]:5432/{{ .Database }}?sslmode=disable",
        "host=a,b port=1,2",
        "hostaddr=10.0.0.1,10.0.0.2 port=1,2",
        "host=/tmp connect_timeout=-1 keepalives=0",
    ],
)
def test_values_that_libpq_takes(text: str) -> None:
    """Judging does not connect: nobody is at these addresses."""
    check_values(Template.parse(text).render("postgres"))


VALUES = [
    "sslmode=hunter2",
    "port=hunter2",
    "port=99999 password=hunter2",
    "target_session_attrs=hunter2",
    "host=a,b port=1,2,3 password=hunter2",
    "hostaddr=10.0.0.1 port=1,2 host=a,b password=hunter2",
    "service=hunter2",
    *(f"{name}=hunter2" for name in ("connect_timeout", "tcp_user_timeout", "keepalives")),
    *(f"keepalives_{name}=hunter2" for name in ("idle", "interval", "count")),
]


@pytest.mark.parametrize("text", ["{{ .Database", "{{ .Foo }}", "hunter2={{ .Database }}", *VALUES])
def test_is_judged_in_the_one_report(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whichever way PGDSN is wrong, it is told without a connection, and leaves with 78."""
    environ = {"PGDSN": text, "PORT": "no"}

    assert main(["check", f"{__name__}:Idle", "--plugins", "cloudsql"], environ) == 78
    said = "".join(capsys.readouterr())
    assert "PORT is not an integer" in said
    assert "PGDSN will not do" in said
    assert "hunter2" not in said


def test_a_template_does_not_show_itself() -> None:
    """The text around the field holds a password."""
    assert "hunter2" not in repr(Template.parse("password=hunter2 dbname={{ .Database }}"))
