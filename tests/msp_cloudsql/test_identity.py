"""Identity and AdminAPI: what is said when Google cannot be asked, and the files for libpq."""

from __future__ import annotations

import datetime as dt
import gc
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import google.auth
import pytest
import requests
from google.auth.credentials import AnonymousCredentials, Credentials
from google.auth.exceptions import DefaultCredentialsError

from msp_cloudsql._instance.admin_api import AdminAPI
from msp_cloudsql._instance.errors import InstanceError
from msp_cloudsql._instance.identity import Identity
from msp_cloudsql._instance.private_files import PrivateFiles
from msp_cloudsql._instance.refreshed import Fetched, Refreshed
from msp_cloudsql._instance.surroundings import application_default
from msp_core.config import Secret
from tests.msp_core.clock import Clock, clock_for_all


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """Give the clock that everybody reads, seconds since the epoch."""
    with clock_for_all() as clock:
        monkeypatch.setattr(time, "time", clock)
        yield clock


class Endless(Credentials):
    """Credentials with a token that does not tell its end."""

    def refresh(self, request: object) -> None:
        """Take it."""
        self.token = "hunter2"


def test_a_token_without_end_is_asked_for_again_after_5_minutes(wall: Clock) -> None:
    """Nobody knows how long it is good, so not for long."""
    fetched = Identity(Endless).login.get()

    assert fetched.value.reveal() == "hunter2"
    assert fetched.expires == wall.now + 300
    assert "hunter2" not in repr(fetched)


@pytest.mark.parametrize(("left", "times"), [(225.0, 2), (225.25, 1)])
def test_a_token_is_asked_for_again_225_seconds_before_its_end(
    wall: Clock, left: float, times: int
) -> None:
    """Earlier the metadata server would give the same one again."""
    asked = []

    class Ending(Credentials):
        def refresh(self, request: object) -> None:
            asked.append(request)
            self.token = "hunter2"
            self.expiry = dt.datetime.fromtimestamp(wall.now + left, dt.UTC).replace(tzinfo=None)

    login = Identity(Ending).login
    login.get()
    login.get()

    assert len(asked) == times


def test_google_has_5_seconds_for_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the error says what is missing, and nothing of the account."""
    patience = []

    def hang(_: requests.Session, *args: object, timeout: float, **options: object) -> None:
        patience.append(timeout)
        raise requests.Timeout("hunter2")

    monkeypatch.setattr(requests.Session, "request", hang)

    class Asking(Credentials):
        def refresh(self, request: Callable[[str], object]) -> None:
            request("https://token.example")

    with pytest.raises(InstanceError, match=r"^no access token from Google: \w+: expected cred"):
        Identity(Asking).admin.get()
    assert patience == [5.0]


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
