"""Trust: which certificates SSL_CERT_DIR adds to the system's."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

import pytest

from msp_redis._tls import Trust
from tests.msp_redis.authority import Authority

# What is asked for whatever the platform gives.
ALWAYS = {"ssl_check_hostname": True, "ssl_exclude_verify_flags": [ssl.VERIFY_X509_STRICT]}


def test_takes_every_pem_file_of_every_folder(
    tmp_path: Path, authority: Authority, other_authority: Authority
) -> None:
    """OpenSSL would look for hash-named files only; the platform mounts plain ones."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    (first / "server-ca.pem").write_text(authority.pem)
    (second / "rotated").write_text(f"comment\n{other_authority.pem}\n{authority.pem}")

    trust = Trust.of(f"{first}:{second}:")

    assert trust.pem.count("BEGIN CERTIFICATE") == 2
    assert trust.options()["ssl_ca_data"] == trust.pem


def test_skips_what_is_no_certificate_with_a_debug_line(
    tmp_path: Path, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    """One bad file must not take the good ones down, and must be findable."""
    broken = "-----BEGIN CERTIFICATE-----\nbm9wZQ==\n-----END CERTIFICATE-----\n"
    (tmp_path / "broken.pem").write_text(broken + authority.pem)
    (tmp_path / "notes.txt").write_bytes(b"\xff not a certificate")
    (tmp_path / "folder").mkdir()
    (tmp_path / "dangling.pem").symlink_to(tmp_path / "nowhere")
    caplog.set_level(logging.DEBUG, "msp.redis")

    trust = Trust.of(f"{tmp_path}:{tmp_path / 'missing'}")

    assert trust.pem == authority.pem.strip()
    assert [record.getMessage() for record in caplog.records] == [
        "SSL_CERT_DIR: file 'broken.pem' was skipped: not a PEM certificate",
        "SSL_CERT_DIR: file 'notes.txt' was skipped: not a PEM certificate",
        "SSL_CERT_DIR: a folder was skipped: FileNotFoundError",
    ]


def test_skips_a_file_that_cannot_be_read(
    tmp_path: Path,
    authority: Authority,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A mounted file may belong to somebody else."""
    (tmp_path / "a.pem").write_text(authority.pem)
    (tmp_path / "b.pem").write_text(authority.pem)
    read = Path.read_text

    def refuse(path: Path, encoding: str, errors: str) -> str:
        if path.name == "a.pem":  # the superuser, who may run the tests, may read any file
            raise PermissionError
        return read(path, encoding, errors)

    monkeypatch.setattr(Path, "read_text", refuse)
    caplog.set_level(logging.DEBUG, "msp.redis")

    trust = Trust.of(str(tmp_path))

    assert trust.pem == authority.pem.strip()
    assert "SSL_CERT_DIR: file 'a.pem' was skipped: PermissionError" in caplog.text


def test_keeps_the_system_s_trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once SSL_CERT_DIR is set OpenSSL forgets the system's folder; we name it again."""
    bundle = tmp_path / "bundle.pem"
    bundle.touch()
    paths = ssl.get_default_verify_paths()._replace(
        openssl_cafile=str(bundle), openssl_capath=str(tmp_path / "missing")
    )
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)

    trust = Trust.of(str(tmp_path))

    assert trust.options() == {**ALWAYS, "ssl_ca_certs": str(bundle)}


def test_leaves_openssl_alone_without_the_variable() -> None:
    """Without SSL_CERT_DIR the defaults of OpenSSL are the system's trust."""
    assert Trust.of(None).options() == ALWAYS
