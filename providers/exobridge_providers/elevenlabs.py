"""What ElevenLabs' streams have in common: how they report errors, and their languages."""

from __future__ import annotations

from exobridge_providers.errors import ProviderError, ProviderUnavailableError
from exobridge_providers.vendor import refused, trouble_of_status

NAME = "elevenlabs"
KEY_VARIABLE = "ELEVENLABS_API_KEY"

_STATUSES = {
    "auth_error": 401,
    "invalid_api_key": 401,
    "needs_authorization": 401,
    "missing_permissions": 403,
    "unaccepted_terms": 403,
    "quota_exceeded": 402,
    "input_error": 400,
    "invalid_request": 400,
    "unsupported_model": 400,
    "model_not_found": 400,
    "voice_not_found": 400,
    "voice_id_does_not_exist": 400,
    "rate_limited": 429,
    "too_many_concurrent_requests": 429,
    "max_active_conversations": 429,
}
"""Names of its errors, and the HTTP statuses that mean the same. Others pass."""

LANGUAGES = {
    "asm": "as",
    "ben": "bn",
    "eng": "en",
    "guj": "gu",
    "hin": "hi",
    "kan": "kn",
    "mal": "ml",
    "mar": "mr",
    "nep": "ne",
    "ori": "or",
    "ory": "or",
    "pan": "pa",
    "snd": "sd",
    "tam": "ta",
    "tel": "te",
    "urd": "ur",
}
"""Indian ones and English: as ElevenLabs may write them, and as BCP-47 does."""


def trouble(kind: object, words: object, key: str) -> ProviderError:
    """The error of a message.

    Args:
        kind: Its name; some are written with ``_error`` behind it, or without.
        words: What is told of it.
    """
    name = str(kind)
    told = refused(f"{name} {words or ''}", (key,))
    status = _STATUSES.get(name) or _STATUSES.get(name.removesuffix("_error"))
    if status is not None:
        return trouble_of_status(status, NAME, told)
    return ProviderUnavailableError(f"{NAME} reports an error: {told}", provider=NAME)


def is_error(kind: object) -> bool:
    """Whether a message of this name reports an error, whatever else is in it."""
    return str(kind).endswith("_error") or str(kind) in _STATUSES


def tag(code: object) -> str | None:
    """The BCP-47 tag of a code of ElevenLabs', which has two letters or three; ``None`` of none."""
    if not isinstance(code, str) or not code:
        return None
    language = LANGUAGES.get(code, code)
    return f"{language}-IN" if language in LANGUAGES.values() else language
