"""The stand-in for Cloud SQL: an Admin API, and an instance, that the real libraries speak to."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import random
import secrets
import threading
from collections import Counter
from collections.abc import Collection, Coroutine, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self, TypeVar

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from google.auth.credentials import Credentials, Scoped
from google.auth.exceptions import RefreshError

from msp_cloudsql._instance.surroundings import Google
from msp_core.dev import free_port
from tests.google_roles import WORKLOAD, allowed
from tests.msp_cloudsql.authority import Authority
from tests.msp_cloudsql.front import Front, ProxyFront

T = TypeVar("T")

INSTANCE = "p:europe-west1:main"
USER = "guestbook@p.iam"
ENVIRON = {"PGINSTANCE": INSTANCE, "PGUSER": USER}
_SCOPE = "https://www.googleapis.com/auth/sqlservice."


class Account(Scoped, Credentials):
    """Credentials of a service account: its tokens come from the stand-in."""

    def __init__(self, endpoint: str, scopes: tuple[str, ...] = ()) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # the library's
        self._endpoint = endpoint
        self._wanted = scopes

    @property
    def requires_scopes(self) -> bool:
        """Return whether scopes are still to be given."""
        return not self._wanted

    def with_scopes(self, scopes: list[str], default_scopes: object = None) -> Account:
        """Return the account with scopes."""
        return Account(self._endpoint, tuple(scopes))

    def refresh(self, request: Any) -> None:
        """Take a new token."""
        answer = request(url=f"{self._endpoint}/token", method="POST", body=self._wanted[0])
        if answer.status != 200:
            raise RefreshError(f"{USER} is refused")  # type: ignore[no-untyped-call]  # same
        found = json.loads(answer.data)
        self.token = found["access_token"]
        self.expiry = dt.datetime.fromtimestamp(found["expires"], dt.UTC).replace(tzinfo=None)


class StandIn:
    """One instance and its Admin API, in a thread of its own.

    Attributes:
        asked: how often each question was asked of the Admin API, by the last part of its path.
        failing: questions that are answered 503.
        roles: of who asks and logs in; what they do not allow is refused. Default the platform's.
        enabled: whether the project has the Admin API.
        settings: put over the answer to `connectSettings`.
        token_life: seconds that new tokens live.
        certificate_life: seconds that new client certificates live.
        certificate_demanded: whether a client must show a certificate.
        logins: (user, password) of everyone who was let in.
        asked_with_token: whether a client certificate was to log in by itself.
        issued: every token that was given out, by scope.
    """

    def __init__(self, folder: Path, backend: int) -> None:
        self.asked: Counter[str] = Counter()
        self.failing: set[str] = set()
        self.roles: Collection[str] = WORKLOAD
        self.enabled = True
        self.settings: dict[str, Any] = {}
        self.token_life = 3600.0
        self.certificate_life = 3600.0
        self.certificate_demanded = False
        self.logins: list[tuple[str, str]] = []
        self.asked_with_token = False
        self.issued: dict[str, str] = {}
        self._valid: set[str] = set()
        self._lock = threading.Lock()
        self._folder = folder
        self._address = "127.0.0.1"
        self._port = free_port()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._clients = Authority()
        self.rotate_ca()
        self._backend = backend
        self._front = Front(
            backend,
            lambda: self._context,
            self._admit,
            lambda: self.certificate_demanded,
        )
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._answering())
        self._http_thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        endpoint = f"http://127.0.0.1:{self._http.server_port}"
        self.google = Google(
            admin_api=endpoint,
            credentials=lambda: self.find(endpoint),
            sockets=folder / "sockets",
            port=self._port,
        )

    def __enter__(self) -> Self:
        """Start both servers."""
        self._thread.start()
        self._http_thread.start()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop both servers."""
        self.stop()
        self._http.shutdown()
        self._http.server_close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._http_thread.join()
        self._loop.close()

    def find(self, endpoint: str) -> Credentials:
        """Return credentials; counted."""
        with self._lock:
            self.asked["credentials"] += 1
        return Account(endpoint)

    def start(self, address: str | None = None) -> None:
        """Have the instance listen, at another address if one is given."""
        self._address = address or self._address
        self._run(self._front.start(self._address, self._port))

    @contextlib.contextmanager
    def public(self) -> Iterator[None]:
        """Have the instance a public address only, at which Google's connector finds a proxy."""
        address = f"127.{random.randint(1, 254)}.{random.randint(1, 254)}.1"  # noqa: S311 - tests run beside each other
        self.settings = {"ipAddresses": [{"type": "PRIMARY", "ipAddress": address}]}
        front = ProxyFront(
            self._backend, lambda: self._context, lambda user, _: user == USER, lambda: True
        )
        self._run(front.start(address, 3307))
        try:
            yield
        finally:
            self._run(front.stop())

    def stop(self) -> None:
        """Drop the instance and every connection to it."""
        self._run(self._front.stop())

    def rotate_ca(self, *names: str, shared: bool = False) -> None:
        """Give the instance a new CA, and a certificate for these names."""
        self._ca = Authority()
        self._context = self._ca.server_context(self._folder, self._clients, names)
        self._mode = "GOOGLE_MANAGED_CAS_CA" if shared else "GOOGLE_MANAGED_INTERNAL_CA"

    def trust_nobody(self) -> None:
        """Make every client certificate so far worthless."""
        self._clients = Authority()
        self._context = self._ca.server_context(self._folder, self._clients, ())

    def revoke_tokens(self) -> None:
        """Make every token so far worthless."""
        with self._lock:
            self._valid.clear()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def _admit(self, user: str, password: str) -> bool:
        with self._lock:
            good = self.issued.get(password) == f"{_SCOPE}login" and password in self._valid
        if good and user == USER and allowed("cloudsql.instances.login", self.roles):
            self.logins.append((user, password))
            return True
        return False

    def _answering(stand_in) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - the class inside has a self
        class Answering(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(b"")

            def do_POST(self) -> None:
                self._answer(self.rfile.read(int(self.headers["content-length"])))

            def _answer(self, body: bytes) -> None:
                token = (self.headers["authorization"] or "").removeprefix("Bearer ")
                status, answer = stand_in.answer(self.path, token, body)
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        return Answering

    def answer(self, path: str, token: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """Return status and answer of the Admin API, or of whoever gives tokens."""
        question = path.replace(":", "/").rpartition("/")[2]
        with self._lock:
            self.asked[question] += 1
            if question in self.failing:
                return 503, {"error": {"message": f"{USER} {token}"}}
            if question == "token":
                return 200, self._token(body.decode())
            if self.issued.get(token) != f"{_SCOPE}admin" or "/projects/p/" not in path:
                return 403, {"error": {"message": f"{USER} may not"}}
        return self._refusal(question) or (200, self._told(question, body))

    def _refusal(self, question: str) -> tuple[int, dict[str, Any]] | None:
        connect = question == "generateEphemeralCert"
        permission = f"cloudsql.instances.{'connect' if connect else 'get'}"
        if not allowed(permission, self.roles):
            return 403, {"error": {"message": f"Possibly missing permission {permission}"}}
        if not self.enabled:
            details = [{"@type": "google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED"}]
            return 403, {"error": {"message": f"{USER}", "details": details}}
        return None

    def _told(self, question: str, body: bytes) -> dict[str, Any]:
        if question == "generateEphemeralCert":
            self.asked_with_token |= "access_token" in json.loads(body)
            key = load_pem_public_key(json.loads(body)["public_key"].encode())
            return {
                "ephemeralCert": {"cert": self._clients.issue(USER, key, self.certificate_life)}
            }
        if question == "connectSettings":
            return {**self._settings(), **self.settings}
        demanded = self.certificate_demanded
        mode = "TRUSTED_CLIENT_CERTIFICATE_REQUIRED" if demanded else "ENCRYPTED_ONLY"
        return {"settings": {"ipConfiguration": {"sslMode": mode}}}

    def _settings(self) -> dict[str, Any]:
        return {
            "kind": "sql#connectSettings",
            "serverCaCert": {"cert": self._ca.pem},
            "serverCaMode": self._mode,
            "ipAddresses": [
                {"type": "PRIMARY", "ipAddress": "203.0.113.1"},
                {"type": "PRIVATE", "ipAddress": self._address},
            ],
            "region": "europe-west1",
            "databaseVersion": "POSTGRES_17",
        }

    def _token(self, scope: str) -> dict[str, Any]:
        token = f"ya29.{secrets.token_hex(16)}"
        self.issued[token] = scope
        self._valid.add(token)
        expires = dt.datetime.now(dt.UTC).timestamp() + self.token_life
        return {"access_token": token, "expires": expires}
