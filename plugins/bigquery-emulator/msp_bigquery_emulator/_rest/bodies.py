"""Bodies of requests, as HTTP transfers them: whole, in chunks, compressed."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from io import BufferedIOBase
from typing import Final

from msp_bigquery_emulator._errors import BigQueryError, invalid

LARGEST: Final = 512 << 20  # bytes of a body, before and after it is decompressed
_LINE: Final = 256  # bytes of the line before a chunk
_GZIP: Final = zlib.MAX_WBITS | 16
_HEXADECIMAL: Final = frozenset(b"0123456789abcdefABCDEF")


def read_body(file: BufferedIOBase, headers: Mapping[str, str]) -> bytes:
    """Return the body that follows a request's headers.

    Args:
        file: to read from.
        headers: by name in lower case.

    Raises:
        BigQueryError: it is too large, or not what the headers claim.
        ConnectionError: the client left in the middle.
    """
    if "transfer-encoding" in headers:
        if headers["transfer-encoding"].strip().lower() != "chunked":
            raise invalid("Invalid Transfer-Encoding: expected chunked")
        content = b"".join(_chunks(file))
    else:
        content = _read(file, _length(headers.get("content-length") or "0"))
    if headers.get("content-encoding", "").lower() in ("gzip", "x-gzip"):
        return _decompress(content)
    return content


def _length(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise invalid("Invalid Content-Length: expected a number of bytes")
    return _require_size(int(text))


def _require_size(size: int) -> int:
    if size > LARGEST:
        limit = f"{LARGEST >> 20} MB"
        raise BigQueryError(413, "uploadTooLarge", f"Request payload exceeds the limit: {limit}")
    return size


def _read(file: BufferedIOBase, size: int) -> bytes:
    content = file.read(size)
    if len(content) < size:
        raise ConnectionResetError
    return content


def _chunks(file: BufferedIOBase) -> Iterator[bytes]:
    total = 0
    while size := _chunk_size(file.readline(_LINE)):
        total = _require_size(total + size)
        yield _read(file, size)
        _read(file, 2)  # the end of its line
    while file.readline(_LINE).strip():  # headers behind the body
        pass


def _chunk_size(line: bytes) -> int:
    size = line.partition(b";")[0].strip()
    if not line.endswith(b"\n") or not size or not _HEXADECIMAL.issuperset(size):
        raise invalid("Invalid chunk: expected its size in hexadecimal digits")
    return int(size, 16)


def _decompress(content: bytes) -> bytes:
    decompressor = zlib.decompressobj(_GZIP)
    try:
        plain = decompressor.decompress(content, LARGEST + 1)
    except zlib.error:
        raise invalid("the body is not in the encoding that it claims: expected gzip") from None
    _require_size(len(plain))
    if not decompressor.eof:
        raise invalid("the body ends too early: expected all of a gzip member")
    return plain
