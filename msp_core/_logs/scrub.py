"""Scrubber: takes known secrets out of what is about to be written."""

from __future__ import annotations

import functools
import json
import re
import threading
from collections.abc import Iterable
from typing import Any, Final

import attrs

from msp_core._logs.values import encode, make_plain
from msp_core.secret import MASK

# Characters. A shorter text is part of many words: hiding it would make the lines unreadable, and
# the holes would tell what it is.
SHORTEST: Final = 4

# Characters of a line of a many-line secret, such as a key file, that is a secret by itself:
# tracebacks and indentation put other text between the lines.
LONG_LINE: Final = 8

# Parts of a line that no value gets into; a secret that equals a part of one is a coincidence.
OUR_OWN: Final = frozenset({"Timestamp", "SeverityText", "SeverityNumber", "severity", "time"})

_ESCAPES: Final = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}
_WORD = re.compile(r"[A-Za-z0-9]+")


@attrs.frozen(eq=False)
class Rules:
    """How to find the secrets, kept together so that both change at once.

    Attributes:
        cores: of each secret, a part that every spelling of it holds: looked for first, because
            that is cheap and finds nothing in nearly every line.
        pattern: every spelling of every secret; None without secrets.
    """

    cores: tuple[str, ...] = ()
    pattern: re.Pattern[str] | None = None

    def find_in(self, text: str) -> re.Pattern[str] | None:
        """Return the pattern when the text may hold a secret."""
        for core in self.cores:
            if core in text:
                return self.pattern
        return None


class Scrubber:
    """Replaces known secrets by `***`, however they are spelled.

    Found are a secret as it is, escaped as in JSON or a repr (more than once, too), and
    percent-encoded, in any mixture of these.
    """

    def __init__(self) -> None:
        self._secrets: frozenset[str] = frozenset()
        self._rules = Rules()
        self._adding = threading.Lock()  # never taken where lines are scrubbed

    def add(self, secrets: Iterable[str]) -> None:
        """Hide these from now on, too; those shorter than four characters are left out."""
        with self._adding:
            self._secrets |= {part for secret in secrets for part in _parts(secret)}
            # Longest first: a secret that begins with another one is hidden whole.
            ordered = sorted(self._secrets, key=lambda secret: (-len(secret), secret))
            if ordered:
                self._rules = Rules(
                    tuple(_without_longer({_core(secret) for secret in ordered})),
                    re.compile("|".join(_spellings(secret) for secret in ordered)),
                )

    def text(self, text: str) -> str:
        """Return the text without secrets."""
        pattern = self._rules.find_in(text)
        return pattern.sub(MASK, text) if pattern else text

    def json(self, line: str) -> str:
        """Return the JSON object, given as one line, without secrets in any of its values.

        It is taken apart for that, so that it is still JSON when a secret looks like a part of
        its syntax or stands in a number.
        """
        pattern = self._rules.find_in(line)
        if pattern is None or pattern.search(line) is None:
            return line
        scrub = functools.partial(pattern.sub, MASK)
        return encode(
            {
                name: value if name in OUR_OWN else _scrub_value(make_plain(value), scrub)
                for name, value in json.loads(line).items()
            }
        )


def _scrub_value(value: Any, scrub: functools.partial[str]) -> Any:  # noqa: ANN401 - parsed JSON
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        return {scrub(key): _scrub_value(item, scrub) for key, item in value.items()}
    if isinstance(value, list):
        return [_scrub_value(item, scrub) for item in value]
    if value is None or isinstance(value, bool):
        return value
    text = json.dumps(value)
    return value if scrub(text) == text else MASK


def _parts(secret: str) -> Iterable[str]:
    if len(secret) >= SHORTEST:
        yield secret
        yield from (line for line in secret.splitlines() if len(line) >= LONG_LINE)


def _core(secret: str) -> str:
    """Return the longest run of characters that no encoding changes; maybe empty."""
    return max(_WORD.findall(secret), key=len, default="")


def _without_longer(cores: Iterable[str]) -> Iterable[str]:
    """Yield each core that holds no other one: what finds the shorter one finds it, too."""
    found: list[str] = []
    for core in sorted(cores, key=len):
        if not any(other in core for other in found):
            found.append(core)
            yield core


def _spellings(secret: str) -> str:
    return "".join(_character(character) for character in secret)


@functools.cache
def _character(character: str) -> str:
    """Return a pattern of the ways in which one character is written."""
    if _WORD.fullmatch(character):
        return character
    spellings = [_percent_escape_of(character), *_escapes_of(character)]
    if character == " ":
        spellings.append(r"\+")
    if character in "\"'/":
        spellings.append(rf"\\+{character}")
    if character == "\\":
        spellings.append(r"\\+")
    # The character itself comes last: `%` is the beginning of its own encoding.
    return f"(?:{'|'.join(spellings)}|{re.escape(character)})"


def _percent_escape_of(character: str) -> str:
    data = character.encode(errors="surrogatepass")
    return "(?i:" + "".join(f"%{byte:02x}" for byte in data) + ")"


def _escapes_of(character: str) -> Iterable[str]:
    r"""Return patterns of `\n`, `\u00e9`, `\xe9`, `\U0001f511` and UTF-16 pairs, case ignored."""
    point = ord(character)
    if character in _ESCAPES:
        yield rf"\\+{_ESCAPES[character]}"
    units = character.encode("utf-16-be", errors="surrogatepass").hex()
    yield "(?i:" + "".join(rf"\\+u{units[i : i + 4]}" for i in range(0, len(units), 4)) + ")"
    yield rf"(?i:\\+U{point:08x})"
    # Of bytes, and of text: a repr prints the UTF-8 bytes of the former. They come first, because
    # those of `Ã` begin like the text's escape, and the rest of them would be left.
    data = character.encode(errors="surrogatepass")
    yield "(?i:" + "".join(rf"\\+x{byte:02x}" for byte in data) + ")"
    yield rf"(?i:\\+x{point:02x})"
