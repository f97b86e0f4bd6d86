"""Continuous load on a server, from clients that notice every failure."""

from __future__ import annotations

import http.client
import threading

import attrs

from tests.msp_core.http_service import (
    PATIENT,
)


@attrs.define
class Load:
    """Clients in threads that ask until the server refuses them.

    Attributes:
        enough: set once the server is plainly under load.
        failed: what went wrong with a request whose connection had been accepted.
    """

    port: int
    served: int = 0
    failed: list[str] = attrs.field(factory=list)
    enough: threading.Event = attrs.field(factory=threading.Event)
    threads: list[threading.Thread] = attrs.field(factory=list)

    def start(self) -> None:
        """Start clients of both kinds."""
        for reuse in (True, True, True, False, False, False):
            self.threads.append(threading.Thread(target=self._ask_until_refused, args=(reuse,)))
        for thread in self.threads:
            thread.start()

    def join(self) -> None:
        """Wait until every client was refused."""
        for thread in self.threads:
            thread.join(PATIENT)

    def _ask_until_refused(self, reuse: bool) -> None:  # noqa: FBT001 - one of two kinds
        headers = {} if reuse else {"connection": "close"}
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENT)
            try:
                connection.connect()
            except OSError:
                return
            try:
                self._use(connection, headers)
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(repr(error))
            finally:
                connection.close()

    def _use(self, connection: http.client.HTTPConnection, headers: dict[str, str]) -> None:
        last = False
        while not last:
            connection.request("POST", "/", body=b"x" * 100, headers=headers)
            response = connection.getresponse()
            if response.read() != b"app":
                raise http.client.HTTPException(str(response.status))
            last = response.will_close
            self.served += 1
            if self.served > 200:
                self.enough.set()
