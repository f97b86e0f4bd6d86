"""DeclarationCache: what services declare, kept between starts as bytecode is.

It is a function of the metadata that is installed, so it is found out once and kept in the
environment, beside site-packages; reading metadata costs several imports that are large, and
time that grows with what is installed. An answer is taken when nothing it came from was touched.
One with problems is not kept: it is found out anew each time, until they are gone.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import stat
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import attrs

from msp_core._plugins.fingerprint import (
    Fingerprint,
    is_same,
    is_settled,
    look_at,
    metadata_files,
    search_path,
)
from msp_core.config import env
from msp_core.config._loading import Loading

logger = logging.getLogger("msp.plugins")

AnswerT = TypeVar("AnswerT")

FILE = "msp-declarations.json"

# Answers in one file, each of a service or of a choice of plugins; the oldest goes first.
MOST = 32
# What the file may have of the rights of site-packages: all but running it, and writing by others.
RIGHTS = 0o664
# Names of the folder that installers put distributions in.
SITES = ("site-packages", "dist-packages")


@attrs.frozen(kw_only=True, eq=False)
class CacheConfig:
    """The variable of the cache."""

    declaration_cache: bool = env(
        "MSP_DECLARATION_CACHE",
        default=True,
        help="whether what a service declares is kept in the Python environment for later starts",
    )


@attrs.define(eq=False)
class DeclarationCache:
    """The answers of earlier starts in this environment.

    Attributes:
        path: of the file.
    """

    path: Path
    _site: os.stat_result
    _watched: Fingerprint
    _began: int
    _answers: dict[str, Any] = attrs.field(factory=dict)
    _is_ignored: bool = False

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> DeclarationCache | None:
        """Return the environment's; None where it is turned off, or there is no place for it.

        The place is beside the first site-packages below `sys.prefix` on `sys.path`.
        """
        config = Loading(environ).section(CacheConfig, "core")
        if config is None or not config.declaration_cache:
            return None
        began = time.time_ns()  # before the first look, so that nothing after it goes unseen
        folders = search_path(sys.path)
        site = next(filter(_is_site, folders), None)
        if site is None:
            return None
        cache = cls(site.with_name(FILE), site.stat(), look_at([*folders, *_code()]), began)
        cache._answers = cache._read()
        return cache

    def find(self, question: str, make: Callable[[Any], AnswerT]) -> AnswerT | None:
        """Return what was answered before; None when it is to be found out anew.

        Args:
            question: all that the answer depends on besides what is installed.
            make: the answer of what was kept.
        """
        with suppress(KeyError, TypeError, ValueError):  # not asked yet, or not as we write it
            kept = self._answers[question]
            if is_same(kept["files"], look_at(kept["files"])):
                return make(kept["answer"])
        return None

    def keep(self, question: str, answer: object, sources: Sequence[str]) -> None:
        """Keep an answer for later starts, unless a change of what it comes from could go unseen.

        Args:
            question: as for `find`.
            answer: what JSON can hold.
            sources: folders of the metadata that it comes from; an empty text stands for one that
                is in no folder.
        """
        files = look_at(metadata_files(sources))
        if "" in sources or not is_settled({**self._watched, **files}, self._began):
            return
        self._answers.pop(question, None)  # so that it becomes the newest
        self._answers[question] = {"files": files, "answer": answer}
        answers = dict([*self._answers.items()][-MOST:])
        try:
            kept = {"python": sys.version, "watched": self._watched, "answers": answers}
            self._write(json.dumps(kept))
        except OSError as error:
            self._ignore(f"cannot be written, {error.strerror}")

    def _read(self) -> dict[str, Any]:
        """Return the answers of the file; none where others are watched, or not to be trusted.

        It names what is imported, so whoever can write it decides what runs.
        """
        try:
            with open(self.path, encoding="utf-8", opener=_open_itself) as file:
                _expect_trusted(os.fstat(file.fileno()), self._site)
                content = json.load(file)
            if content["python"] == sys.version and is_same(content["watched"], self._watched):
                return dict(content["answers"])
        except FileNotFoundError:
            pass
        except OSError as error:
            self._ignore(f"cannot be trusted, {error.strerror}")
        except (KeyError, TypeError, ValueError):
            self._ignore("is not as it was written")
        return {}

    def _write(self, text: str) -> None:
        """Put the text in place of the file, whole or not at all."""
        import tempfile  # noqa: PLC0415 - slow; most starts write nothing

        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=self.path.parent, prefix=f"{FILE}.", delete=False
        ) as file:
            new = Path(file.name)
            try:
                # Whoever may change site-packages may change this, and nobody else.
                os.fchown(file.fileno(), self._site.st_uid, self._site.st_gid)
                os.fchmod(file.fileno(), self._site.st_mode & RIGHTS)
                file.write(text)
                file.flush()
                new.replace(self.path)
            except BaseException:
                new.unlink(missing_ok=True)
                raise

    def _ignore(self, why: str) -> None:
        """Say once why the file is of no use; what cannot be read often cannot be written."""
        if not self._is_ignored:
            self._is_ignored = True
            logger.debug("declaration cache %s %s: plugins are resolved anew", self.path, why)


def _code() -> list[Path]:
    """Return the files that decide how an answer is found and what the cache file holds."""
    with suppress(OSError):  # in an archive, which is watched as an entry of the path
        return sorted(each for each in Path(__file__).parent.iterdir() if each.suffix == ".py")
    return []


def _is_site(folder: Path) -> bool:
    return folder.name in SITES and folder.is_relative_to(sys.prefix)


def _open_itself(path: str, flags: int) -> int:
    """Open a file, but through no link, and without waiting for the other end of a pipe."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _expect_trusted(file: os.stat_result, site: os.stat_result) -> None:
    """Raise when somebody could have written the file who cannot write site-packages."""
    if not stat.S_ISREG(file.st_mode):
        raise PermissionError(errno.EPERM, "it is no regular file")
    if file.st_uid != site.st_uid:
        raise PermissionError(errno.EPERM, "it belongs to another user than site-packages")
    others = stat.S_IWOTH | (stat.S_IWGRP & ~site.st_mode)
    if file.st_mode & others:
        raise PermissionError(errno.EPERM, "others may write it")
