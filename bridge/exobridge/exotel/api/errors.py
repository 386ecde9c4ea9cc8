"""What can go wrong when Exotel's API is asked.

::

    ExotelError                     retryable says whether asking again may help
    ├── ExotelUnreachableError      no connection, or it broke                            retryable
    ├── ExotelTimeoutError          no answer in time                                     retryable
    ├── ExotelAnswerError           an answer that cannot be read                         retryable
    └── ExotelStatusError           an answer of another status than 2xx; a redirect, too
        ├── BadRequestError         400, and others of 4xx that have no name here
        ├── UnauthorisedError       401, key or token is wrong, or of the other region
        ├── NoBalanceError          402
        ├── ForbiddenError          403, KYC, or a feature that the account does not have
        ├── NotFoundError           404
        ├── ConflictError           409
        ├── RateLimitedError        429, above 200 requests a minute                      retryable
        └── ExotelServerError       5xx                                                   retryable

No credential, account SID or phone number stands in any of them.
"""

from __future__ import annotations

from typing import ClassVar

from exobridge.errors import ExobridgeError


class ExotelError(ExobridgeError):
    """Exotel's API did not do what was asked.

    Args:
        problem: What happened, as half a sentence.
        status: Of HTTP; ``None``: there was no answer.
        code: The ``RestException``'s, which says more than the status; ``None``: it had none.
        retry_after: Seconds that Exotel wants to be left alone; ``None``: it named none.
        may_have_happened: Exotel may have done what was asked all the same.

    Attributes:
        retryable: Whether the same may succeed later. What changes something is not asked again
            even then: Exotel may have done it.
        cure: What to do, as a sentence.
    """

    retryable: ClassVar[bool] = False
    cure: ClassVar[str] = "Look at Exotel's status page, and ask its support."

    def __init__(
        self,
        problem: str,
        *,
        status: int | None = None,
        code: int | None = None,
        retry_after: float | None = None,
        may_have_happened: bool = False,
    ) -> None:
        self.problem = problem
        self.status = status
        self.code = code
        self.retry_after = retry_after
        self.may_have_happened = may_have_happened
        super().__init__(f"{problem}. {self.cure}")


class ExotelUnreachableError(ExotelError):
    """No connection, or it broke off."""

    retryable = True
    cure = "Look at EXOTEL_API_URL and at the way out: firewall, proxy, DNS."


class ExotelTimeoutError(ExotelError):
    """No answer in time."""

    retryable = True
    cure = "Look at the way out: firewall, proxy, DNS; or Exotel is slow."


class ExotelAnswerError(ExotelError):
    """The answer cannot be read: something else answers there, or it broke in between."""

    retryable = True
    cure = "Look at EXOTEL_API_URL, and at a proxy in between."


class ExotelStatusError(ExotelError):
    """Exotel said no. Of a status that has no class here, a redirect among them."""

    cure = "Look at EXOTEL_API_URL: the API answers by itself and sends nobody elsewhere."


class BadRequestError(ExotelStatusError):
    """400, and what has no name of its own among 4xx."""

    cure = "If the number, the ExoPhone and the flow are right, please report it."


class UnauthorisedError(ExotelStatusError):
    """401."""

    cure = (
        "Copy EXOTEL_API_KEY and EXOTEL_API_TOKEN anew from Exotel's page of API settings; "
        "an account in Mumbai needs EXOTEL_API_URL=mumbai."
    )


class NoBalanceError(ExotelStatusError):
    """402."""

    cure = "Recharge the account at Exotel."


class ForbiddenError(ExotelStatusError):
    """403."""

    cure = "Finish the account's KYC, or ask Exotel for the feature."


class NotFoundError(ExotelStatusError):
    """404: no such call, or no such account."""

    cure = "If it is there, look at EXOTEL_SID; an account in Mumbai needs EXOTEL_API_URL=mumbai."


class ConflictError(ExotelStatusError):
    """409: something stands against it as things are."""

    cure = "Look at the account's page at Exotel: what is asked is under way, or done."


class RateLimitedError(ExotelStatusError):
    """429: more than 200 requests in a minute, by whomever uses the account."""

    retryable = True
    cure = "It is asked again later; if it stays so, ask Exotel for a higher limit."


class ExotelServerError(ExotelStatusError):
    """5xx."""

    retryable = True
    cure = "It passes mostly; if not, look at Exotel's status page."


_BY_STATUS: dict[int, type[ExotelStatusError]] = {
    401: UnauthorisedError,
    402: NoBalanceError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    429: RateLimitedError,
}


def error_of(status: int) -> type[ExotelStatusError]:
    """The class of an answer of this status."""
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if 400 <= status < 500:
        return BadRequestError
    return ExotelServerError if status >= 500 else ExotelStatusError
