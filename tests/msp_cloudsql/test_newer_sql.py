"""SQL that a laptop's PostgreSQL takes and the platform's does not."""

from __future__ import annotations

import pytest

from msp_cloudsql._migrations import migrator as _migrator
from tests.msp_cloudsql.database import Database

NEWER = [
    ("SELECT any_value(n) FROM generate_series(1, 2) AS n", "any_value", 16),
    ("SELECT '{}' IS JSON", "is json", 16),
    ("SELECT '1' IS NOT JSON", "is not json", 16),
    ("SELECT JSON_ARRAYAGG(1)", "json_arrayagg", 16),
    ("SELECT json_exists (jsonb '{}', '$.a')", "json_exists", 17),
    ("SELECT * FROM JSON_TABLE(jsonb '[]', '$[*]' COLUMNS (a int))", "json_table", 17),
    ("SELECT to_bin(5)", "to_bin", 17),
    ("CREATE TABLE t (id uuid DEFAULT uuidv7())", "uuidv7", 18),
    ("CREATE TABLE t (n int, m int GENERATED ALWAYS AS (n * 2) VIRTUAL)", "virtual", 18),
    ("CREATE TABLE t (n int); INSERT INTO t VALUES (1) RETURNING new.n", "returning new", 18),
    ("CREATE TABLE t (n int CONSTRAINT c CHECK (n > 0)  NOT\nENFORCED)", "not enforced", 18),
]
KNOWN = [
    "SELECT 'uuidv7()' -- uuidv7()",
    'SELECT 1 AS "uuidv7()"',
    "CREATE FUNCTION my_uuidv7() RETURNS int LANGUAGE sql AS 'SELECT 1'; SELECT my_uuidv7()",
    "CREATE TABLE virtual (is_json int, casefold int)",
]


@pytest.mark.parametrize(("text", "word", "version"), NEWER)
async def test_warns_of_newer_sql(
    database: Database, caplog: pytest.LogCaptureFixture, text: str, word: str, version: int
) -> None:
    """It is applied here, and would not be there: the warning names file, line and version."""
    database.write(_1_new=f"SELECT 1;\n{text}")
    await database.migrate()

    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        f"1_new.sql, line 2: {word} needs PostgreSQL {version}, and the platform runs 15"
    ]


@pytest.mark.parametrize("text", KNOWN)
async def test_names_of_ones_own_are_no_newer_sql(
    database: Database, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    """Neither values, comments and quoted names, nor names that only look alike."""
    database.write(_1_old=text)
    await database.migrate()

    assert not [record for record in caplog.records if record.levelname == "WARNING"]


async def test_the_platforms_own_version_is_not_warned(
    database: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server of the platform's version says by itself what it does not know."""
    major = int(str(database.query("SHOW server_version_num")[0][0])) // 10_000
    monkeypatch.setattr(_migrator, "PLATFORM_VERSION", major)
    database.write(_1_new="SELECT uuidv7()")
    await database.migrate()

    assert not [record for record in caplog.records if record.levelname == "WARNING"]
