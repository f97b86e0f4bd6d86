"""Statement: one statement of a migration file; found where psql would find it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import attrs

_TOKEN = re.compile(
    r"""(?P<space> \s+ | --[^\n]* )
      | (?P<comment> /\* )
      | (?P<quoted> e'(?:[^'\\]|\\.|'')*' | '[^']*' | "[^"]*" | \$((?:[^\W\d]\w*)?)\$.*?\$\4\$ )
      | (?P<word> \w[\w$]* )
      | (?P<other> . )""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
# The body of such a routine may be written in plain SQL, BEGIN ATOMIC … END, semicolons included.
_ROUTINE = re.compile(r"create (or replace )?(function|procedure)\b")
_HEAD = 4  # words that tell what a statement is


@attrs.frozen(kw_only=True)
class Statement:
    """One statement.

    Attributes:
        line: of the file where it begins, from 1.
        text: without the semicolon and the comments before it.
        head: its first four words in lower case, joined by spaces.
    """

    line: int
    text: str = attrs.field(repr=False)
    head: str


def statements(text: str) -> Iterator[Statement]:
    """Yield the statements of a file; those that hold nothing but comments are left out."""
    line, counted = 1, 0
    for begin, end, words in _spans(text):
        line += text.count("\n", counted, begin)
        counted = begin
        yield Statement(line=line, text=text[begin:end].rstrip(), head=" ".join(words))


def _spans(text: str) -> Iterator[tuple[int, int, list[str]]]:
    """Yield of each statement where it begins, where it ends, and its first words."""
    begin: int | None = None
    words: list[str] = []
    parentheses = blocks = 0
    for at, kind, piece in _tokens(text):
        if piece == ";" and not parentheses and not blocks:
            if begin is not None:
                yield begin, at, words
            begin, words = None, []
            continue
        begin = at if begin is None else begin
        parentheses = max(0, parentheses + (piece == "(") - (piece == ")"))
        if kind == "word":
            words += [piece.lower()] if len(words) < _HEAD else []
            if _ROUTINE.match(" ".join(words)):
                blocks = max(0, blocks + _depth(piece.lower(), blocks))
    if begin is not None:
        yield begin, len(text), words


def _depth(word: str, blocks: int) -> int:
    """Return by how much a word of a routine changes how deep its body is nested."""
    return (word == "begin" or (word == "case" and blocks > 0)) - (word == "end")


def _tokens(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield place, kind and text of what is neither space nor comment."""
    at = 0
    while match := _TOKEN.match(text, at):
        if match.lastgroup == "comment":
            at = _after_comment(text, at)
            continue
        if match.lastgroup != "space":
            yield at, str(match.lastgroup), match[0]
        at = match.end()


def _after_comment(text: str, at: int) -> int:
    """Return where a comment ends; PostgreSQL's may be nested."""
    depth = 0
    for edge in _COMMENT_EDGE.finditer(text, at):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(text)
