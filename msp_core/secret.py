"""Secret: a text that nothing prints by accident."""

from __future__ import annotations

import hmac
from typing import NoReturn, final
from urllib.parse import unquote, urlsplit

MASK = "***"


@final
class Secret:
    """A text from a variable that must not appear in logs, errors, reprs or files.

    It prints as `***` everywhere, is compared in constant time, is false when empty, and refuses
    to be pickled. `reveal` is the one way to the text: call it where the text is handed over.
    """

    __slots__ = ("_text",)

    _text: str

    def __init__(self, text: str) -> None:
        object.__setattr__(self, "_text", text)

    def reveal(self) -> str:
        """Return the text itself; never log what this returns."""
        return self._text

    def __repr__(self) -> str:
        """Return `***`."""
        return MASK

    def __format__(self, format_spec: str) -> str:
        """Return `***`, padded as asked."""
        return format(MASK, format_spec)

    def __eq__(self, other: object) -> bool:
        """Compare with another Secret, in a time that does not tell where they differ."""
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_bytes(self._text), _bytes(other._text))

    def __hash__(self) -> int:
        """Return the text's hash."""
        return hash((Secret, self._text))

    def __bool__(self) -> bool:
        """Return whether the text is not empty."""
        return bool(self._text)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Refuse: a Secret is a frozen value."""
        raise AttributeError(f"a Secret is frozen: {name!r} cannot be set")

    def __copy__(self) -> Secret:
        """Return the same Secret: it never changes."""
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Secret:
        """Return the same Secret: it never changes."""
        return self

    def __reduce__(self) -> NoReturn:
        """Refuse: a pickle would hold the text in the clear."""
        raise TypeError(
            "a Secret cannot be pickled: pass on its variable's name, and load it there"
        )


def texts_to_hide(text: str) -> frozenset[str]:
    """Return what must be hidden when `text` is a secret: it, and its password when it is a URL."""
    return frozenset(part for part in (text, *passwords_in(text)) if part)


def passwords_in(text: str) -> frozenset[str]:
    """Return the password of a URL, as it stands there and percent-decoded; empty without one."""
    try:
        password = urlsplit(text).password
    except ValueError:  # not a URL
        password = None
    return frozenset((password, unquote(password))) if password else frozenset()


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
