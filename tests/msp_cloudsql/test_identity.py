"""Identity and AdminAPI: what is said when Google cannot be asked, and the files for libpq."""

from __future__ import annotations

import gc
import os
import stat
import time
from pathlib import Path

import google.auth
import pytest
from google.auth.credentials import AnonymousCredentials, Credentials
from google.auth.exceptions import DefaultCredentialsError

from msp_cloudsql._instance.admin_api import AdminAPI
from msp_cloudsql._instance.errors import InstanceError
from msp_cloudsql._instance.identity import Identity
from msp_cloudsql._instance.private_files import PrivateFiles
from msp_cloudsql._instance.refreshed import Fetched, Refreshed
from msp_cloudsql._instance.surroundings import application_default
from msp_core.config import Secret


class Endless(Credentials):
    """Credentials with a token that does not tell its end."""

    def refresh(self, request: object) -> None:
        """Take it."""
        self.token = "hunter2"


def test_a_token_without_end_is_asked_for_again_soon() -> None:
    """Nobody knows how long it is good, so not for long."""
    fetched = Identity(Endless).login.get()

    assert fetched.value.reveal() == "hunter2"
    assert fetched.expires < time.time() + 600
    assert "hunter2" not in repr(fetched)


def test_no_credentials_is_said_with_what_to_do() -> None:
    """A laptop without a login learns the command."""

    def find() -> Credentials:
        raise DefaultCredentialsError("hunter2")  # type: ignore[no-untyped-call]  # the library's

    with pytest.raises(InstanceError, match="gcloud auth application-default login") as caught:
        Identity(find).admin.get()

    assert "hunter2" not in str(caught.value)


def test_credentials_are_the_platform_s(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing else is said, google-auth finds them."""
    found = AnonymousCredentials()  # type: ignore[no-untyped-call]  # the library's
    monkeypatch.setattr(google.auth, "default", lambda: (found, None))

    assert application_default() is found


def test_an_admin_api_out_of_reach_is_named() -> None:
    """The error says who did not answer about what."""
    token = Fetched(value=Secret("hunter2"), expires=time.time() + 3600)
    api = AdminAPI(
        "http://127.0.0.1:1", "example.com:p:r:i", Refreshed(lambda: token, title="token")
    )

    with pytest.raises(InstanceError, match=r"'example\.com:p:r:i': ConnectionError"):
        api.connect_settings()


def test_files_are_private_and_go_with_their_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else reads the key; a child of a fork does not take its parent's files away."""
    files = PrivateFiles({"client.key": "secret"})
    childs = PrivateFiles({"client.key": "secret"})
    path, kept = Path(files.path("client.key")), Path(childs.path("client.key"))

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.read_text() == "secret"
    del files
    gc.collect()
    assert not path.parent.exists()
    with monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: -1)
        del childs
        gc.collect()
    assert kept.exists()
    kept.unlink()
    kept.parent.rmdir()
