"""What a vendor's refusal means for the call."""

from __future__ import annotations

import re

from exobridge_providers.errors import (
    ProviderAuthError,
    ProviderConfigError,
    ProviderError,
    ProviderUnavailableError,
)

_MAX_REASON = 200
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")


def trouble_of_status(status: int, provider: str, what: str = "") -> ProviderError:
    """The error of an HTTP status, or of a code that a vendor borrows from HTTP.

    401 and 403 are the key's fault; 402 is an account without credit, which no second try mends;
    others below 500 are the request's, and so the settings' fault, a redirection too, but for 408,
    409, 425 and 429, which pass, as 5xx do.

    Args:
        what: The vendor's own words; see :func:`refused`.
    """
    told = f": {what}" if what else ""
    if status in (401, 403):
        return ProviderAuthError(
            f"{provider} refused the key ({status}){told}", provider=provider, status_code=status
        )
    if status == 402 or "insufficient_quota" in what:  # some vendors say 429 and this
        return ProviderUnavailableError(
            f"{provider} says that the account has no credit left ({status}){told}",
            provider=provider,
            retryable=False,
            status_code=status,
        )
    if status < 500 and status not in (408, 409, 425, 429):
        return ProviderConfigError(
            f"{provider} refused what it was asked for ({status}){told}. Look at the options "
            "(model, language, voice) and at url",
            provider=provider,
            status_code=status,
        )
    why = "too many requests for this account" if status == 429 else "not available"
    return ProviderUnavailableError(
        f"{provider}: {why} ({status}){told}", provider=provider, status_code=status
    )


def refused(words: object, secrets: tuple[str, ...]) -> str:
    """A vendor's words, fit for a log line: short, printable, and without any of the secrets."""
    text = _UNPRINTABLE.sub(" ", str(words)).strip()
    for secret in secrets:
        text = text.replace(secret, "…") if secret else text
    return text if len(text) <= _MAX_REASON else f"{text[:_MAX_REASON]}…"
