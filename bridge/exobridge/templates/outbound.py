"""``[outbound]``: how the calls are placed that a template's bot makes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from exobridge.numbers import normalise
from exobridge.templates.hours import Hours
from exobridge.templates.table import Table
from exobridge.validation import wrong

MAX_CALL_SECONDS = 14_400
"""Exotel's ``TimeLimit`` goes no further."""

GOODBYE_SECONDS = 60
"""Exotel ends a call so much after ``limits.max_call_seconds``: the bot says goodbye first."""

RetryOn = Literal["busy", "no-answer", "failed"]


def _caller_id(number: str) -> str:
    normal = normalise(number) if number else ""
    if normal is None:
        raise wrong("is no phone number", 'Write an ExoPhone of yours, like "+918047112233".')
    return normal


def _listed(value: object) -> object:
    return [value] if isinstance(value, int) and not isinstance(value, bool) else value


def _each_once(words: tuple[RetryOn, ...]) -> tuple[RetryOn, ...]:
    return tuple(dict.fromkeys(words))


class OutboundTable(Table):
    """``[outbound]``.

    Attributes:
        purpose: ``promotional`` calls are made from 09:00 to 21:00 in India, whatever ``hours``
            say; ``transactional`` ones are exempt.
        caller_id: The ExoPhone, E.164; empty: the number that is registered with the template.
        mode: ``flow``: the call takes the flow of ``telephony_config.applet_app_id``; ``stream``:
            it goes straight to the bot.
        limit_seconds: When Exotel ends the call; 0: some time after the bot would.
        attempts: How often somebody is called at most.
        retry_minutes: From the end of an attempt to the next one; the last holds for all that
            follow.
        hours: When calls are made; ``None``: always, as far as the law lets.
        record: Whether Exotel records the call.
    """

    purpose: Literal["promotional", "transactional"] = "promotional"
    caller_id: Annotated[str, AfterValidator(_caller_id)] = ""
    mode: Literal["flow", "stream"] = "flow"
    ring_seconds: int = Field(default=30, ge=15, le=60)
    limit_seconds: int = Field(default=0, ge=0, le=MAX_CALL_SECONDS)
    attempts: int = Field(default=1, ge=1, le=10)
    retry_on: Annotated[
        tuple[RetryOn, ...], AfterValidator(_each_once), Field(strict=False, max_length=10)
    ] = ("busy", "no-answer")
    retry_minutes: Annotated[
        tuple[Annotated[int, Field(ge=1, le=1440)], ...],
        BeforeValidator(_listed),
        Field(strict=False, min_length=1, max_length=10),
    ] = (30,)
    hours: Hours | None = None
    record: bool = False

    def time_limit(self, call_seconds: int, talk_seconds: int = 0) -> int:
        """When Exotel shall end a call, in seconds, at most 14400.

        Args:
            call_seconds: ``limits.max_call_seconds``.
            talk_seconds: ``transfer.talk_seconds``, where the bot may hand the call to a human.
        """
        own = call_seconds + GOODBYE_SECONDS + talk_seconds
        return self.limit_seconds or min(MAX_CALL_SECONDS, own)
