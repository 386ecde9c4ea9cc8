"""``/api/v1/calls/{call_sid}/say``, ``/transfer``, ``/hangup``: steps into a call under way."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from exobridge.call.orders import MAX_LINE_CHARS, HandOver, HangUp, Order, Result, SayLine
from exobridge.live.orders import ORDER_SECONDS, Orders, Refusal
from exobridge.web.control.calls import UNKNOWN_CALL
from exobridge.web.control.operation import (
    Asked,
    Handler,
    Model,
    Operation,
    Problem,
    ProblemError,
    Role,
)

TAG = "Live calls"

MAX_TARGET_CHARS, MAX_SUMMARY_CHARS = 400, 1000

CALL_OVER = Problem(409, "call-over", "The call is over")
HANDED_OVER = Problem(409, "handed-over", "A human has the caller, or is being called for them")
CLOSING = Problem(409, "closing", "The call is in its last words")
NOT_OPEN = Problem(409, "not-open", "The call's line is not open yet")
NO_VOICE = Problem(409, "no-voice", "A speech-to-speech session speaks for itself")
TOO_MANY_LINES = Problem(409, "too-many-lines", "Too many lines wait to be said in this call")
TARGET_CLOSED = Problem(409, "target-closed", "Nobody is there at this time")
UNKNOWN_TARGET = Problem(422, "unknown-target", "The template knows no such target")
NO_ANSWER = Problem(504, "no-answer", "The process that holds the call did not answer in time")
UNCERTAIN = Problem(504, "uncertain", "The process that holds the call did not say what it did")

_PROBLEMS: dict[Result | Refusal, tuple[Problem, str]] = {
    Refusal.UNKNOWN_CALL: (UNKNOWN_CALL, ""),
    Refusal.CALL_OVER: (CALL_OVER, ""),
    Refusal.HANDED_OVER: (HANDED_OVER, "Its stream has ended, and Exotel's flow leads it."),
    Refusal.NO_ANSWER: (NO_ANSWER, "Nothing was done, and nothing will be."),
    Refusal.UNCERTAIN: (UNCERTAIN, "It may have been done: look at the call."),
    Result.NOT_OPEN: (NOT_OPEN, "Ask again in a moment."),
    Result.CLOSING: (CLOSING, "It ends by itself."),
    Result.NO_VOICE: (NO_VOICE, "It can be handed over and ended, without words."),
    Result.TOO_MANY: (TOO_MANY_LINES, "Ask again when some have been said."),
    Result.UNKNOWN_TARGET: (UNKNOWN_TARGET, "Or it forbids the number: see allow_numbers."),
    Result.TARGET_CLOSED: (TARGET_CLOSED, "The target's hours in the template say so."),
}

_EACH = (UNKNOWN_CALL, CALL_OVER, HANDED_OVER, CLOSING, NOT_OPEN, NO_ANSWER, UNCERTAIN)


def _words(text: str) -> str:
    if not text.strip():
        raise ValueError("must hold words")
    return text


_LAST = f"Said before, at most {MAX_LINE_CHARS} characters. Empty: nothing is. Null: the template's"


class SayBody(Model):
    """A line."""

    text: Annotated[str, AfterValidator(_words)] = Field(
        min_length=1, max_length=MAX_LINE_CHARS, description="Said as it is written."
    )
    interrupt: bool = Field(
        False, description="Cut the bot's words for it; else it comes after the bot's turn."
    )


class TransferBody(Model):
    """Whom to."""

    target: str = Field(
        "",
        max_length=MAX_TARGET_CHARS,
        description="A target of the template's, or numbers that it allows; empty: its own target.",
    )
    summary: str = Field(
        "", max_length=MAX_SUMMARY_CHARS, description="For the human: who calls, and why."
    )
    say: str | None = Field(
        None, max_length=MAX_LINE_CHARS, description=f"{_LAST} `texts.transfer`."
    )


class HangUpBody(Model):
    """Last words."""

    say: str | None = Field(
        None, max_length=MAX_LINE_CHARS, description=f"{_LAST} `texts.goodbye`."
    )


class DoneModel(Model):
    """What was done."""

    done: Result = Field(
        description=(
            "`speaking`: the line is being said. `waiting`: it is said as soon as it is the bot's "
            "turn. `leaving`: the last words are being said, and then the line is left."
        ),
        json_schema_extra={"enum": [each.value for each in Result if each.done]},
    )


class LiveRoom:
    """The operations on calls under way."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders

    def operations(self) -> list[Operation]:
        """All of them, for operators."""
        return [
            _operation(
                "say",
                "sayInCall",
                "Have the bot say a line",
                "As the bot's own word: it is kept as its turn, the caller may interrupt it, and "
                "the dialogue is told of it. It waits while the caller speaks. Sent twice, it is "
                "said twice.",
                SayBody,
                (NO_VOICE, TOO_MANY_LINES),
                self.say,
            ),
            _operation(
                "transfer",
                "transferCall",
                "Hand the caller to a human",
                "At once, in place of whatever is being said; as a dialogue does it.",
                TransferBody,
                (NO_VOICE, UNKNOWN_TARGET, TARGET_CLOSED),
                self.transfer,
            ),
            _operation(
                "hangup",
                "hangUpCall",
                "End a call",
                "At once, in place of whatever is being said.",
                HangUpBody,
                (NO_VOICE,),
                self.hang_up,
            ),
        ]

    async def say(self, asked: Asked) -> DoneModel:
        """A line."""
        body: SayBody = asked.body
        return await self._given(asked, SayLine(body.text.strip(), body.interrupt))

    async def transfer(self, asked: Asked) -> DoneModel:
        """A transfer."""
        body: TransferBody = asked.body
        return await self._given(asked, HandOver(body.target, body.summary, _last(body.say)))

    async def hang_up(self, asked: Asked) -> DoneModel:
        """An end."""
        body: HangUpBody = asked.body
        return await self._given(asked, HangUp(_last(body.say)))

    async def _given(self, asked: Asked, order: Order) -> DoneModel:
        result = await self._orders.give(asked.path["call_sid"], order)
        if isinstance(result, Result) and result.done:
            return DoneModel(done=result)
        problem, detail = _PROBLEMS[result]
        raise ProblemError(problem, detail)


def _last(text: str | None) -> str | None:
    return text if text is None else text.strip()


def _operation(
    what: str,
    name: str,
    summary: str,
    description: str,
    body: type[Model],
    problems: tuple[Problem, ...],
    handler: Handler,
) -> Operation:
    return Operation(
        method="POST",
        path=f"/api/v1/calls/{{call_sid}}/{what}",
        name=name,
        tag=TAG,
        role=Role.OPERATOR,
        summary=summary,
        description=description,
        body=body,
        result=DoneModel,
        problems=(*_EACH, *problems),
        seconds=2 * ORDER_SECONDS,
        handler=handler,
    )


def operations(orders: Orders) -> list[Operation]:
    """The part of the API that steps into calls."""
    return LiveRoom(orders).operations()
