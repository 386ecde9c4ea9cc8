"""What can go wrong in a provider.

    ProviderError                 anything a provider reports
    ├── ProviderConfigError       the user's settings: an unknown name, option or language
    ├── ProviderAuthError         the vendor refused the key
    ├── ProviderUnavailableError  the vendor is down, throttles us, or the line to it broke
    └── ProviderProtocolError     the vendor said something its documents do not allow

An error says whether trying again may help (``retryable``) and which provider it came from. Keys,
transcripts and audio never stand in one.
"""

from __future__ import annotations


class ProviderError(Exception):
    """A provider failed.

    Args:
        message: What happened, for a log line. No key, no words of the caller.
        provider: Name in the registry, e.g. ``moonshine``.
        retryable: Whether the same call may succeed later.
        status_code: The vendor's HTTP status or close code, where there was one.
    """

    retryable_by_default = False

    def __init__(
        self,
        message: str,
        *,
        provider: str = "",
        retryable: bool | None = None,
        status_code: int | None = None,
    ) -> None:
        super().__init__(message)
        self.provider = provider
        self.retryable = self.retryable_by_default if retryable is None else retryable
        self.status_code = status_code


class ProviderConfigError(ProviderError):
    """The settings ask for something that does not exist; the message names the cure."""


class ProviderAuthError(ProviderError):
    """The vendor refused the key."""


class ProviderUnavailableError(ProviderError):
    """The vendor cannot be reached, is throttling, or closed the line."""

    retryable_by_default = True


class ProviderProtocolError(ProviderError):
    """The vendor's answer is not what its documents describe."""

    retryable_by_default = True


def as_provider_error(error: BaseException, what: str, provider: str) -> ProviderError:
    """``error`` itself if it is one of these; else one that names its type only (its message may
    hold anything) and keeps it as the cause. What is unexpected may pass, so it is retryable."""
    if isinstance(error, ProviderError):
        return error
    wrapped = ProviderError(
        f"{what} failed: {type(error).__name__}", provider=provider, retryable=True
    )
    wrapped.__cause__ = error
    return wrapped
