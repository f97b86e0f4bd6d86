"""SQL that the platform's PostgreSQL does not know, though a newer one on a laptop does."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msp_cloudsql._instance.surroundings import PLATFORM_VERSION
from msp_cloudsql._migrations.migration import Migration
from msp_cloudsql._telemetry.sql_text import without_values

# By the version that brought it: what migrations come to use, and what is easy to tell from names.
_NEWER = {
    16: r"any_value\(|json_arrayagg\(|json_objectagg\(|is( not)? json\b|array_shuffle\(|"
    r"array_sample\(|date_add\(|date_subtract\(|random_normal\(",
    17: r"json_table\(|json_query\(|json_value\(|json_exists\(|json_scalar\(|json_serialize\(|"
    r"to_bin\(|to_oct\(|uuid_extract_\w+\(|\bon_error\b",
    18: r"uuidv[47]\(|casefold\(|array_sort\(|array_reverse\(|\bwithout overlaps\b|\) virtual\b|"
    r"\bnot enforced\b|\breturning (old|new)\.",
}
_QUOTED = re.compile('"[^"]*"')
_PATTERNS = {version: re.compile(rf"(?<!\w)(?:{words})") for version, words in _NEWER.items()}


def newer_sql(migration: Migration) -> Iterator[str]:
    """Yield a sentence for each statement of a migration that the platform would refuse.

    Not complete: it looks for names, and leaves out what only a parser could tell.
    """
    for statement in migration.statements:
        shown = _QUOTED.sub("?", without_values(statement.text))
        text = " ".join(shown.lower().split()).replace(" (", "(")
        for version, pattern in _PATTERNS.items():
            if found := pattern.search(text):
                word = found[0].rstrip("(.").removeprefix(") ")
                yield (
                    f"{migration.name}, line {statement.line}: {word} needs PostgreSQL {version}, "
                    f"and the platform runs {PLATFORM_VERSION}"
                )
