"""What is read from the scope of a request."""

from __future__ import annotations

from msp_core.asgi import header, shown_path


def test_a_path_forges_no_line() -> None:
    """What a path may hold is kept, everything else is percent-encoded."""
    assert shown_path({"path": "/a/b:@!$&'()*+,;=~-._"}) == "/a/b:@!$&'()*+,;=~-._"
    assert shown_path({"path": "/a\nGET / 200 ü"}) == "/a%0AGET%20/%20200%20%C3%BC"


def test_the_first_header_of_a_name_counts() -> None:
    """Names are lower-case in a scope; None when there is none."""
    scope = {"headers": [(b"host", b"one"), (b"host", b"two")]}

    assert header(scope, b"host") == b"one"
    assert header(scope, b"accept") is None
