"""The identity a request brings in its headers."""

from __future__ import annotations

import subprocess
import sys
import textwrap

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


def test_ids_made_anew_are_counted() -> None:
    """A process draws at random once, not for each request."""
    first, second = read(None).request_id, read(None).request_id

    assert first[:16] == second[:16]
    assert int(second[16:], 16) == int(first[16:], 16) + 1


def test_the_child_of_a_fork_has_ids_of_its_own() -> None:
    """Servers that fork their workers after the start give no id twice."""
    program = """
        import os
        from msp_core.request import read_context

        def say():
            made = read_context(request_id=None, traceparent=None, cloud_trace=None)
            os.write(1, f"{made.request_id}\\n".encode())

        say()
        child = os.fork()
        say()
        if child:
            os.waitpid(child, 0)
    """
    ran = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True
    )
    ids = ran.stdout.split()

    assert {len(each) for each in ids} == {32}
    assert len(set(ids)) == 3
    assert len({each[:16] for each in ids}) == 2


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
