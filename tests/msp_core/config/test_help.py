"""The help text of a service."""

from __future__ import annotations

from typing import Any

import pytest

from msp_core.config import Group, Variable
from msp_core.config._formats import render_help


def variable(name: str, **rest: Any) -> Variable:
    """Return a variable of type text."""
    return Variable(name=name, **{"owner": "core", "type": "text", "required": False, **rest})


def test_every_variable() -> None:
    """Help lists required, optional and marked variables, in order, with what each is for."""
    text = render_help(
        "guestbook",
        "1.2.3",
        "service",
        [
            variable("PORT", required=True, help="port to listen on"),
            variable("GREETING", default="hello", help="first word"),
            variable("TOKEN", required=True, secret=True, help="signs cookies"),
            variable("PGDSN", forbidden_when_msp=True),
            variable("LEVEL", default="info", empty_is_unset=True),
        ],
    )

    assert text.splitlines() == [
        "SERVICE: guestbook",
        "VERSION: 1.2.3",
        "CONFIGURATION OPTIONS:",
        '- "PORT": port to listen on (required)',
        '- "GREETING": first word (default: "hello")',
        '- "TOKEN": signs cookies (required) (secret)',
        '- "PGDSN": (optional) (not allowed with MSP=true)',
        '- "LEVEL": (default: "info") (empty counts as unset)',
    ]


def test_job() -> None:
    """A job is called a job."""
    assert render_help("sweep", "1", "job", []).startswith("JOB: sweep\n")


def test_duplicates() -> None:
    """A variable that several read is shown once, as the first declares it."""
    text = render_help(
        "x", "1", "job", [variable("A", help="first"), variable("B"), variable("A", help="again")]
    )

    assert text.splitlines()[3:] == ['- "A": first (optional)', '- "B": (optional)']


@pytest.mark.parametrize(
    ("choices", "optional", "expected"),
    [
        ((("PGDSN",),), True, "optional"),
        (
            (("PGDSN",), ("PGINSTANCE", "PGUSER")),
            True,
            "optional: PGDSN, or PGINSTANCE with PGUSER",
        ),
        ((("PGDSN", "PGUSER"),), False, "required: PGDSN with PGUSER"),
    ],
)
def test_group(choices: tuple[tuple[str, ...], ...], optional: bool, expected: str) -> None:  # noqa: FBT001 - a row of the table
    """A variable that is needed with others names them, one that stands alone does not."""
    group = Group(choices=choices, optional=optional)

    assert variable("PGDSN", group=group).presence == expected
