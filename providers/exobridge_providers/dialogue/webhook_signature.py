"""The signature of a request, after Standard Webhooks (https://www.standardwebhooks.com).

``webhook-id``, ``webhook-timestamp`` and the body, joined by dots, under HMAC-SHA256; the id is the
same when a request is sent again. A secret that begins with ``whsec_`` is base64 behind it, as the
specification has it; any other is taken as it is.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

PREFIX = "whsec_"


def signing_key(secret: str) -> bytes:
    """The key that a secret stands for.

    Raises:
        ValueError: It begins with ``whsec_`` and goes on with what is no base64.
    """
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError(f"begins with {PREFIX} and is no base64 behind it") from None


def signed(key: bytes, request_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of a request.

    Args:
        timestamp: Seconds since 1970.
    """
    content = b".".join([request_id.encode(), str(timestamp).encode(), body])
    digest = hmac.new(key, content, hashlib.sha256).digest()
    return {
        "webhook-id": request_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
