"""What holds for every test."""

from __future__ import annotations

from hypothesis import settings


def test_no_example_fails_for_being_slow() -> None:
    """A busy machine takes its time for an example; that is no failure."""
    assert settings().deadline is None
