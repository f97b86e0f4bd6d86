"""Who may ask diagnostics: the bearer middleware, through ASGI and WSGI."""

from __future__ import annotations

from typing import Any

import pytest

from msp_core.diagnostics._auth import refusal
from msp_core.secret import Secret
from tests.msp_core.diagnostics_interface import Interface
from tests.msp_core.http_service import (
    BEARER,
    SECRET,
    diagnostics,
)


@pytest.fixture(params=["asgi", "wsgi"])
def interface(request: pytest.FixtureRequest) -> Interface:
    """Give each protocol in turn."""
    return Interface(request.param)


CASES = [
    pytest.param(None, 401, "unauthorized", id="no header"),
    pytest.param("", 401, "unauthorized", id="empty header"),
    pytest.param(SECRET, 400, "no token type", id="no space"),
    pytest.param(f"Basic {SECRET}", 400, "invalid token type 'Basic'", id="other scheme"),
    pytest.param("Bearer wrong", 401, "unauthorized", id="wrong"),
    pytest.param("Bearer ", 401, "unauthorized", id="empty token"),
    pytest.param(f"Bearer {SECRET}", 200, "app", id="right"),
    pytest.param(f"bearer {SECRET}", 200, "app", id="lower case"),
    pytest.param(f"BEARER {SECRET}", 200, "app", id="upper case"),
    pytest.param(f"Bearer  {SECRET}", 401, "unauthorized", id="two spaces"),
    pytest.param(f"Bearer {SECRET}x", 401, "unauthorized", id="longer"),
]


class TestAuth:
    """The bearer middleware, every case of upstream's."""

    @pytest.mark.parametrize(("authorization", "status", "body"), CASES)
    async def test_cases(
        self, interface: Interface, authorization: str | None, status: int, body: str
    ) -> None:
        """Each kind of header gets upstream's answer."""
        headers = {} if authorization is None else {"Authorization": authorization}

        response = await interface.guarded(headers=headers)

        assert response.status_code == status
        assert body in response.text
        assert ("www-authenticate" in response.headers) is (status == 401)

    def test_bytes_that_are_no_text(self) -> None:
        """A token in no known encoding is wrong like any other."""
        answer = refusal(Secret("schlüssel"), b"Bearer schl\xfcssel")

        assert answer is not None
        assert answer.status == 401
        assert refusal(Secret("schlüssel"), "Bearer schlüssel".encode()) is None

    async def test_without_a_secret_everybody_passes(self, interface: Interface) -> None:
        """A process that was given no secret does not guard."""
        response = await interface.guarded(secret=None)

        assert (response.status_code, response.text) == (200, "app")

    async def test_the_guarded_application_keeps_its_methods(self, interface: Interface) -> None:
        """The guard refuses callers, not verbs."""
        response = await interface.guarded(method="POST", headers=BEARER)

        assert response.status_code == 200

    async def test_a_long_scheme_is_not_echoed(self, interface: Interface) -> None:
        """What a caller sends comes back shortened."""
        response = await interface.guarded(headers={"Authorization": f"{'x' * 1000} y"})

        assert response.status_code == 400
        assert response.text == f"invalid token type '{'x' * 32}': expected Bearer"

    async def test_guards_websockets(self) -> None:
        """A websocket handshake without the secret is refused, one with it goes on."""
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def echo(scope: Any, _receive: Any, send: Any) -> None:
            await send({"type": f"{scope['type']} reached"})

        guard = diagnostics().require_secret(echo)
        right = [(b"authorization", f"Bearer {SECRET}".encode())]
        await guard({"type": "websocket", "headers": []}, None, send)
        await guard({"type": "websocket", "headers": right}, None, send)
        await guard({"type": "lifespan"}, None, send)

        assert sent == [
            {"type": "websocket.close", "code": 1008, "reason": "unauthorized"},
            {"type": "websocket reached"},
            {"type": "lifespan reached"},
        ]
