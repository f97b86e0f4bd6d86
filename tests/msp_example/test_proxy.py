"""The proxy: who may use it, what it refuses, and what it forwards."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from msp_core.dev import free_port
from tests.msp_example.conftest import ExampleProcess, StartExample

SECRET = "hush"
ALLOWED = {"Authorization": f"Bearer {SECRET}"}


@pytest.fixture
def example(start_example: StartExample) -> ExampleProcess:
    """Give the example in stateless mode, with a diagnostics secret."""
    return start_example({"STATELESS_MODE": "true", "DIAGNOSTICS_SECRET": SECRET}).ready()


def test_needs_the_secret(example: ExampleProcess, echo: str) -> None:
    """Without the diagnostics secret nobody reaches the service's network."""
    query = urlencode({"host": echo, "path": "/"})
    denied = example.get(f"/proxy?{query}")
    wrong = example.get(f"/proxy?{query}", headers={"Authorization": "Bearer wrong"})

    assert (denied.status_code, wrong.status_code) == (401, 401)
    assert example.get(f"/proxy?{query}", headers=ALLOWED).status_code == 418


def test_refuses_bad_parameters(example: ExampleProcess) -> None:
    """A missing or wrong parameter is 400 with a text that names it."""
    cases = {
        "host": [{}, {"path": "/"}, *({"host": host, "path": "/"} for host in BAD_HOSTS)],
        "path": [{"host": "http://a"}, {"host": "http://a", "path": "relative"}],
        "insecure": [{"host": "http://a", "path": "/", "insecure": "perhaps"}],
    }
    for parameter, queries in cases.items():
        for query in queries:
            answer = example.get(f"/proxy?{urlencode(query)}", headers=ALLOWED)

            assert answer.status_code == 400, query
            assert f"'{parameter}'" in answer.text


BAD_HOSTS = ("10.0.0.7", "ftp://10.0.0.7", "http://10.0.0.7/path", "http://", "http://a:b")


def test_forwards_marked_headers_only(example: ExampleProcess, echo: str) -> None:
    """Headers with the prefix arrive without it; the secret stays here."""
    query = urlencode({"host": echo, "path": "/deep/path?a=b"})
    headers = {**ALLOWED, "X-Proxy-Accept-Language": "de", "X-Other": "stays"}
    answer = example.request("POST", f"/proxy?{query}", headers=headers, content="text")
    asked = answer.json()

    assert (asked["method"], asked["path"], asked["body"]) == ("POST", "/deep/path?a=b", "text")
    assert asked["headers"]["accept-language"] == "de"
    assert "x-other" not in asked["headers"]
    assert SECRET not in answer.text


def test_unreachable_host_is_a_bad_gateway(example: ExampleProcess) -> None:
    """What does not answer is told by the class of the error, insecure or not."""
    query = {"host": f"https://127.0.0.1:{free_port()}", "path": "/", "insecure": "true"}
    answer = example.get(f"/proxy?{urlencode(query)}", headers=ALLOWED)

    assert answer.status_code == 502
    assert "ConnectError" in answer.text
