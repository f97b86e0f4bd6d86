"""Secret: printed, formatted, compared, copied, pickled."""

from __future__ import annotations

import copy
import json
import pickle

import attrs
import pytest

from msp_core.config import Secret
from msp_core.secret import passwords_in, texts_to_hide


def test_secret_prints_as_a_mask() -> None:
    """No way of turning it into text shows it."""
    secret = Secret("hunter2")

    assert [str(secret), repr(secret), f"{secret}", f"{secret!r}", f"{secret:>5}"] == [
        "***",
        "***",
        "***",
        "***",
        "  ***",
    ]
    assert "%s %r" % (secret, secret) == "*** ***"  # noqa: UP031 - the way logging formats
    assert str({"key": [secret]}) == "{'key': [***]}"


def test_reveal_gives_the_text() -> None:
    """There is one way to the text, and it is easy to find in a review."""
    assert Secret("hunter2").reveal() == "hunter2"


def test_equal_secrets_are_equal_and_hash_alike() -> None:
    """A frozen config that holds secrets can be compared and be a key."""
    assert Secret("naïve") == Secret("naïve")
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a") != Secret("b")


def test_secret_is_not_equal_to_its_text() -> None:
    """A plain text that happens to be the same is a bug in the caller."""
    assert Secret("a") != "a"


def test_secret_of_undecodable_bytes_is_compared() -> None:
    """The environment may hold bytes that are not UTF-8."""
    assert Secret("\udcff") == Secret("\udcff")


def test_empty_secret_is_false() -> None:
    """`if secret` asks what it says."""
    assert not Secret("")
    assert Secret("a")


def test_secret_is_frozen() -> None:
    """A value that is compared and hashed does not change, and gains no attributes."""
    secret = Secret("hunter2")

    with pytest.raises(AttributeError, match="a Secret is frozen: 'note' cannot be set"):
        secret.note = "x"
    with pytest.raises(AttributeError, match="a Secret is frozen: '_text' cannot be set"):
        secret._text = "x"


def test_secret_is_copied_as_itself() -> None:
    """Copies of a config, and attrs.asdict, keep the mask."""

    @attrs.frozen
    class Config:
        key: Secret

    secret = Secret("a")

    assert copy.copy(secret) is copy.deepcopy(secret) is secret
    assert attrs.asdict(Config(secret)) == {"key": secret}


def test_secret_is_neither_pickled_nor_serialised() -> None:
    """Nothing writes it to a file or a queue in the clear."""
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(Secret("hunter2"))
    with pytest.raises(TypeError, match="not JSON serializable"):
        json.dumps(Secret("hunter2"))


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("", set()),
        ("hunter2", {"hunter2"}),
        ("redis://host/0", {"redis://host/0"}),
        ("redis://:p%40ss@host/0", {"redis://:p%40ss@host/0", "p%40ss", "p@ss"}),
        ("postgres://u:pw@h/{{ .Database }}", {"postgres://u:pw@h/{{ .Database }}", "pw"}),
        ("redis://:pw@[::1", {"redis://:pw@[::1"}),
    ],
)
def test_password_of_a_url_is_hidden_too(text: str, hidden: set[str]) -> None:
    """A vendor's error shows the password alone, or decoded."""
    assert texts_to_hide(text) == hidden
    assert passwords_in(text) == hidden - {text}
