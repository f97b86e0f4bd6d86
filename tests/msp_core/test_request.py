"""The identity a request brings in its headers."""

from __future__ import annotations

import pytest

from msp_core.request import RequestContext, read_context

TRACE = "0123456789abcdef0123456789abcdef"
SPAN = "00000000000000ff"


def read(
    request_id: str | None = "id", traceparent: str | None = None, cloud_trace: str | None = None
) -> RequestContext:
    """Read those headers."""
    return read_context(request_id=request_id, traceparent=traceparent, cloud_trace=cloud_trace)


def test_a_sane_request_id_is_kept() -> None:
    """The caller's id finds this process's lines."""
    assert read("3f2a-77/Root=1:a_b.c+d@e").request_id == "3f2a-77/Root=1:a_b.c+d@e"


@pytest.mark.parametrize("given", [None, "", "a b", "a\nb", 'a"b', "é", "x" * 129])
def test_another_one_is_made_anew(given: str | None) -> None:
    """An id that is absent, could break a line, or is too long is replaced by a unique one."""
    first, second = read(given).request_id, read(given).request_id

    assert len(first) == 32
    assert first != second


@pytest.mark.parametrize(("flags", "sampled"), [("01", True), ("00", False), ("03", True)])
def test_traceparent(flags: str, *, sampled: bool) -> None:
    """W3C's header gives trace, span and whether it is sampled."""
    context = read(traceparent=f" 00-{TRACE}-{SPAN}-{flags} ")

    assert context == RequestContext(request_id="id", trace_id=TRACE, span_id=SPAN, sampled=sampled)


def test_traceparent_of_a_later_version() -> None:
    """A version we do not know is read as far as we know it."""
    assert read(traceparent=f"cc-{TRACE}-{SPAN}-01-more").trace_id == TRACE


@pytest.mark.parametrize(
    ("header", "span", "sampled"),
    [
        (f"{TRACE}/255;o=1", SPAN, True),
        (f"{TRACE}/255;o=0", SPAN, False),
        (f"{TRACE}/255", SPAN, None),
        (f"{TRACE.upper()};o=1", None, True),
        (TRACE, None, None),
        (f"{TRACE}/0;o=1", None, True),
        (f"{TRACE}/99999999999999999999", None, None),
    ],
)
def test_cloud_trace(header: str, span: str | None, *, sampled: bool | None) -> None:
    """Google's header has a decimal span, and both of its ends may be left out."""
    context = read(cloud_trace=header)

    assert context == RequestContext(request_id="id", trace_id=TRACE, span_id=span, sampled=sampled)


def test_traceparent_wins() -> None:
    """Where both headers are sent, the standard one counts."""
    context = read(traceparent=f"00-{TRACE}-{SPAN}-01", cloud_trace=f"{'f' * 32}/1")

    assert context.trace_id == TRACE


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
    ],
)
def test_a_malformed_traceparent_counts_as_absent(header: str) -> None:
    """Nothing made up ends in the logs."""
    assert read(traceparent=header).trace_id is None


@pytest.mark.parametrize("header", ["", "abc", f"{'0' * 32}/1;o=1", f"{TRACE}/x", f"{TRACE};o=9"])
def test_a_malformed_cloud_trace_counts_as_absent(header: str) -> None:
    """Nothing made up ends in the logs."""
    assert read(cloud_trace=header).trace_id is None
