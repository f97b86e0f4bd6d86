"""Bearer authentication with the diagnostics secret."""

from __future__ import annotations

import hashlib
import hmac

from msp_core.diagnostics._answer import Answer
from msp_core.secret import Secret

# An answer names the scheme it refuses, but is no place to store things.
_LONGEST_SCHEME = 32


def refusal(secret: Secret | None, authorization: bytes | None) -> Answer | None:
    """Return the answer that refuses a caller, None when the caller may pass.

    It keeps casual callers out of diagnostics. It is one shared secret without a limit on
    guesses: do not guard sensitive data with it.

    Args:
        secret: the diagnostics secret; None lets everybody pass.
        authorization: the `Authorization` header; None when absent.
    """
    if secret is None:
        return None
    scheme, space, token = (authorization or b"").partition(b" ")
    if scheme and not space:
        return Answer.text(400, "the authorization header has no token type: expected Bearer")
    if scheme and scheme.lower() != b"bearer":
        kind = ascii(scheme[:_LONGEST_SCHEME].decode("latin-1"))
        return Answer.text(400, f"invalid token type {kind}: expected Bearer")
    if not scheme or not _is_equal(token, secret.reveal().encode(errors="surrogateescape")):
        return Answer.text(401, "unauthorized", ("www-authenticate", 'Bearer realm="diagnostics"'))
    return None


def _is_equal(token: bytes, secret: bytes) -> bool:
    """Compare in a time that tells nothing, not even the secret's length."""
    return hmac.compare_digest(hashlib.sha256(token).digest(), hashlib.sha256(secret).digest())
