"""Migrations as files: what a folder may hold, and what each mistake is called."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from msp_cloudsql import MigrationAheadError, MigrationFilesError
from msp_cloudsql._migrations.migration import read_migrations
from msp_cloudsql._migrations.standing import Standing


def write(folder: Path, **files: str) -> None:
    """Write files; `_1_a` becomes `1_a.sql`."""
    for name, text in files.items():
        (folder / f"{name.removeprefix('_')}.sql").write_text(text)


def test_reads_files_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    """Ten comes after two, and what is no migration does not matter."""
    write(tmp_path, **{f"_{number}_step": "SELECT 1;" for number in range(10, 0, -1)})
    (tmp_path / "README.md").touch()
    (tmp_path / ".0001_hidden.sql").touch()
    found = read_migrations(tmp_path)

    assert [each.version for each in found] == list(range(1, 11))
    assert found[9].name == "10_step.sql"
    assert "SELECT" not in repr(found)


def test_a_checksum_is_of_the_text(tmp_path: Path) -> None:
    """It is what `sha256sum` prints, whatever a checkout did to the line ends."""
    (tmp_path / "0001_unix.sql").write_bytes(b"SELECT 1;\nSELECT 2;\n")
    (tmp_path / "0002_dos.sql").write_bytes(b"SELECT 1;\r\nSELECT 2;\r\n")
    checksums = {each.checksum for each in read_migrations(tmp_path)}

    assert checksums == {hashlib.sha256(b"SELECT 1;\nSELECT 2;\n").hexdigest()}


def test_a_first_line_opts_out_of_the_transaction(tmp_path: Path) -> None:
    """It is an option only there, and the only one."""
    write(tmp_path, _1_a="-- msp: no transaction\nSELECT 1", _2_b="--\n-- msp: no transaction")

    assert [each.transaction for each in read_migrations(tmp_path)] == [False, True]

    write(tmp_path, _2_b="-- msp: no transactions\nSELECT 1")
    with pytest.raises(MigrationFilesError, match=r"2_b.sql, line 1: expected `-- msp: no tr"):
        read_migrations(tmp_path)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ((), "holds no migration, expected 0001_name.sql: ship the files"),
        (("_1_a", "_0001_b"), "1_a.sql has the number of 0001_b.sql: give the newer"),
        (("_1_a", "_2_b", "_2_c"), "2_c.sql has the number of 2_b.sql: give the newer"),
        (("_1_a", "_3_c"), "3_c.sql comes where number 2 is expected"),
        (("_2_b",), "2_b.sql comes where number 1 is expected"),
        (("_0_a",), "0_a.sql has no number: expected a name like 0001_name.sql"),
        (("visits",), "visits.sql has no number"),
    ],
)
def test_numbers_are_without_gaps_and_unique(
    tmp_path: Path, names: tuple[str, ...], expected: str
) -> None:
    """Two branches that both add a file are told so, as is a file that was forgotten."""
    write(tmp_path, **dict.fromkeys(names, "SELECT 1"))
    with pytest.raises(MigrationFilesError, match=expected):
        read_migrations(tmp_path)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """A folder that was not packaged must not look like a database without a schema."""
    with pytest.raises(MigrationFilesError, match=r"/nowhere is not there: ship the files \*.sql"):
        read_migrations(tmp_path / "nowhere")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """The file and the system's reason are told."""
    (tmp_path / "0001_a.sql").mkdir()
    with pytest.raises(MigrationFilesError, match=r"^0001_a.sql cannot be read \(is a directory\)"):
        read_migrations(tmp_path)


def test_a_file_is_utf_8(tmp_path: Path) -> None:
    """The text of the error does not quote the file."""
    (tmp_path / "0001_latin.sql").write_bytes(b"SELECT '\xe9'")
    with pytest.raises(MigrationFilesError, match=r"^0001_latin.sql is not UTF-8: save it as that"):
        read_migrations(tmp_path)


@pytest.mark.parametrize(
    "statement",
    ["BEGIN", "start transaction", "COMMIT", "end", "abort", "ROLLBACK", "PREPARE TRANSACTION 'a'"],
)
def test_a_file_does_not_control_transactions(tmp_path: Path, statement: str) -> None:
    """What a file commits itself would stay behind when the rest of it fails."""
    write(tmp_path, _1_a=f"SELECT 1;\n{statement};\nSELECT 2;")
    with pytest.raises(MigrationFilesError, match=r"1_a.sql, line 2: begins or ends a transaction"):
        read_migrations(tmp_path)


def test_a_file_may_use_savepoints(tmp_path: Path) -> None:
    """They are within its transaction."""
    write(tmp_path, _1_a="SAVEPOINT a; ROLLBACK TO a; PREPARE p AS SELECT 1;")

    assert len(read_migrations(tmp_path)[0].statements) == 3


def test_an_empty_database_lacks_everything(tmp_path: Path) -> None:
    """Its highest version is 0."""
    write(tmp_path, _1_a="SELECT 1", _2_b="SELECT 2")
    migrations = read_migrations(tmp_path)
    standing = Standing.of(migrations, ())

    assert standing == Standing(pending=migrations, begun=None, ahead=(), head=0)


def test_different_ways_are_named_by_their_first_files(tmp_path: Path) -> None:
    """Of what the folder lacks, and of what the database lacks."""
    write(tmp_path, _1_a="SELECT 1", _2_b="SELECT 2")
    rows = [(3, "3_theirs.sql", "", "ended"), (4, "4_theirs.sql", "", "ended")]

    with pytest.raises(MigrationAheadError, match=r"has 3_theirs.sql, .* and lacks 1_a.sql: "):
        Standing.of(read_migrations(tmp_path), rows)
