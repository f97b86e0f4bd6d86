"""Buckets: a folder of this machine in the place of Cloud Storage: `gs://b/x` is `<folder>/b/x`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import attrs

from msp_bigquery_emulator._errors import invalid, make_unsupported, not_found


@attrs.frozen
class Buckets:
    """Reads objects.

    Attributes:
        folder: whose folders are the buckets; None for none.
    """

    folder: Path | None

    def read(self, uris: Sequence[str]) -> list[bytes]:
        """Return what the objects hold, in their order; a `*` stands for any part of a name.

        Raises:
            BigQueryError: there is no folder, a URI is none, or names nothing.
        """
        return [path.read_bytes() for uri in uris for path in self._find(uri)]

    def _find(self, uri: str) -> list[Path]:
        if self.folder is None:
            raise make_unsupported("gs:// without --buckets")
        scheme, _, name = uri.partition("://")
        parts = name.split("/")
        if scheme != "gs" or ".." in parts or "" in parts[:2] or len(parts) == 1:
            raise invalid(f"Invalid source URI {uri[:200]!r}: expected gs://bucket/object")
        found = sorted(path for path in self.folder.glob(name) if path.is_file())
        if not found:
            raise not_found("URI", uri)
        return found
