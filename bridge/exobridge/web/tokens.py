"""Secrets of the edge: the token in a stream's URL, and the secret of webhooks and static URLs."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Iterable

from itsdangerous import BadData, URLSafeTimedSerializer

DIAL_SECONDS = 300
"""How long the token of a call that we place is good at least: it is minted before the telephone
rings."""


class Tokens:
    """Mints and reads the tokens of stream URLs: signed, expiring, bound to one CallSid, or to one
    attempt of a dial, whose CallSid is not known yet.

    A token may be used more than once until it expires, as Exotel retries its handshake.

    Args:
        secret: The key; without one a random key serves this process.
        max_age_s: How long a token is good.
    """

    def __init__(self, secret: str | None, max_age_s: int) -> None:
        key = secret or secrets.token_urlsafe(32)
        self._signer = URLSafeTimedSerializer(key, salt="exobridge.stream")
        self._dials = URLSafeTimedSerializer(key, salt="exobridge.dial")
        self._max_age_s = max_age_s

    def mint(self, call_sid: str) -> str:
        """A token for this call's stream."""
        return str(self._signer.dumps(call_sid))

    def call_sid(self, token: str) -> str | None:
        """The CallSid of a good token; ``None`` if it is forged, garbled or expired."""
        return _loaded(self._signer, token, self._max_age_s)

    def mint_for_dial(self, custom_field: str) -> str:
        """A token for the stream of the call that this ``CustomField`` names."""
        return str(self._dials.dumps(custom_field))

    def dial(self, token: str) -> str | None:
        """The ``CustomField`` of a good token for a dial; ``None`` as above."""
        return _loaded(self._dials, token, max(self._max_age_s, DIAL_SECONDS))


def _loaded(signer: URLSafeTimedSerializer, token: str, max_age_s: int) -> str | None:
    try:
        value = signer.loads(token, max_age=max_age_s)
    except (BadData, UnicodeError):  # the latter for lone surrogates
        return None
    return value if isinstance(value, str) else None


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
