"""What Deepgram's three streams have in common: how they are asked, and how they report errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exobridge_codecs.formats import AudioFormat, Encoding, pcm16
from exobridge_providers.errors import ProviderError, ProviderUnavailableError
from exobridge_providers.vendor import Address, refused, trouble_of_status

KEY_VARIABLE = "DEEPGRAM_API_KEY"

FORMATS = (pcm16(8000), AudioFormat(Encoding.MULAW, 8000), pcm16(16_000), pcm16(24_000))
"""Those that all three take, or make."""

_ENCODINGS = {Encoding.PCM16: "linear16", Encoding.MULAW: "mulaw"}

_STATUSES = {
    "INVALID_AUTH": 401,
    "INSUFFICIENT_PERMISSIONS": 403,
    "ASR_PAYMENT_REQUIRED": 402,
    "TOO_MANY_REQUESTS": 429,
    "UNPARSABLE_CLIENT_MESSAGE": 400,
}
"""Codes of its errors, and the HTTP statuses that they stand beside in its documents. Others pass:
``NET-0000`` and ``INTERNAL_SERVER_ERROR``, say."""


def address(url: str, audio: AudioFormat, query: Mapping[str, Any], key: str) -> Address:
    """Where a stream goes.

    Args:
        query: What stands in it beside the format of the audio.
    """
    written = {"encoding": _ENCODINGS[audio.encoding], "sample_rate": audio.sample_rate}
    return Address(url, {**written, **query}, {"Authorization": f"Token {key}"}, (key,))


def trouble(message: Mapping[str, Any], request_id: str, key: str, provider: str) -> ProviderError:
    """The error of an ``Error`` message.

    Args:
        request_id: Deepgram's name for the stream, which its support asks for; may be empty.
    """
    code = str(message.get("code") or message.get("err_code") or message.get("variant") or "")
    words = message.get("description") or message.get("message") or message.get("err_msg") or ""
    told = refused(f"{code} {words} (request {request_id or 'unknown'})", (key,))
    if code in _STATUSES:
        return trouble_of_status(_STATUSES[code], provider, told)
    return ProviderUnavailableError(f"{provider} reports an error: {told}", provider=provider)
