"""Secrets of the edge: the token in a stream's URL, and the secret of webhooks and static URLs."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Iterable

from itsdangerous import BadData, URLSafeTimedSerializer


class Tokens:
    """Mints and reads the tokens of stream URLs: signed, expiring, bound to one CallSid.

    A token may be used more than once until it expires, as Exotel retries its handshake.

    Args:
        secret: The key; without one a random key serves this process.
        max_age_s: How long a token is good.
    """

    def __init__(self, secret: str | None, max_age_s: int) -> None:
        key = secret or secrets.token_urlsafe(32)
        self._signer = URLSafeTimedSerializer(key, salt="exobridge.stream")
        self._max_age_s = max_age_s

    def mint(self, call_sid: str) -> str:
        """A token for this call's stream."""
        return str(self._signer.dumps(call_sid))

    def call_sid(self, token: str) -> str | None:
        """The CallSid of a good token; ``None`` if it is forged, garbled or expired."""
        try:
            call_sid = self._signer.loads(token, max_age=self._max_age_s)
        except (BadData, UnicodeError):  # the latter for lone surrogates
            return None
        return call_sid if isinstance(call_sid, str) else None


def proves_itself(secret: str, offered: Iterable[str]) -> bool:
    """Whether one of the offered strings is the secret; in constant time, as bytes, since what is
    offered may be any text. An empty secret is none."""
    wanted = _as_bytes(secret)
    found = False
    for candidate in offered:
        found |= hmac.compare_digest(wanted, _as_bytes(candidate))
    return found and bool(wanted)


def _as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def bearer(authorization: str) -> str:
    """The token of a ``Bearer`` header (RFC 6750, section 2.1), else empty."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def basic_password(authorization: str) -> str:
    """The password of a ``Basic`` header, else empty."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
    return decoded.partition(":")[2]
