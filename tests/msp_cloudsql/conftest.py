"""What the tests of msp_cloudsql share."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from msp_core import Contract


@pytest.fixture
def contract() -> Contract:
    """Give the one thing this plugin reads of a contract: a name."""
    return cast("Contract", SimpleNamespace(name="guestbook"))
