"""Statements of a file: found where psql finds them, told where they begin."""

from __future__ import annotations

import pytest

from msp_cloudsql._migrations.statements import statements


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("  ;;\n-- nothing; here\n/* nor ; /* here; */ ; */", []),
        ("SELECT 1; SELECT 2", ["SELECT 1", "SELECT 2"]),
        ("SELECT 'a;''b', E'a;\\';', \"a;\"; X", ["SELECT 'a;''b', E'a;\\';', \"a;\"", "X"]),
        (
            "SELECT $$;$b$;$$, $b$;$$;$b$, a$b, $1; X",
            ["SELECT $$;$b$;$$, $b$;$$;$b$, a$b, $1", "X"],
        ),
        ("SELECT 1 -- a;\n/* b; */ + 2; X", ["SELECT 1 -- a;\n/* b; */ + 2", "X"]),
        ("CREATE RULE r DO (a; b); X", ["CREATE RULE r DO (a; b)", "X"]),
        ("SELECT ); X", ["SELECT )", "X"]),
        ("SELECT CASE WHEN a THEN b END; X", ["SELECT CASE WHEN a THEN b END", "X"]),
        ("SELECT 'open; X", ["SELECT 'open", "X"]),
        ("SELECT 1 /* open; X", ["SELECT 1 /* open; X"]),
    ],
)
def test_ends_at_a_semicolon_of_its_own(text: str, expected: list[str]) -> None:
    """Semicolons in literals, names, comments and parentheses end nothing."""
    assert [each.text for each in statements(text)] == expected


def test_text_stays_out_of_tracebacks() -> None:
    """A statement may hold a password; a traceback's locals do not show it."""
    (statement,) = statements("ALTER ROLE app PASSWORD 'hunter2'")

    assert "hunter2" not in repr(statement)


@pytest.mark.parametrize("kind", ["FUNCTION", "or replace procedure"])
def test_a_routine_in_plain_sql_is_one_statement(kind: str) -> None:
    """The body of BEGIN ATOMIC has semicolons, and an END that ends a CASE only."""
    routine = (
        f"CREATE {kind} f() BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 1 END; SELECT 2; END"
    )
    found = [each.text for each in statements(f"{routine}; SELECT 3;")]

    assert found == [routine, "SELECT 3"]


def test_tells_where_a_statement_begins() -> None:
    """A statement begins with its first word, not with the comments above it."""
    found = list(statements("-- one\n\n  SELECT\n 1;\n/* two\n */ CREATE  TABLE\nt ();"))

    assert [(each.line, each.head) for each in found] == [(3, "select 1"), (6, "create table t")]
