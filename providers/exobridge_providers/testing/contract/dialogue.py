"""What a dialogue provider promises."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from exobridge_providers.base import (
    Action,
    CallContext,
    CollectDigits,
    DialogueProvider,
    HangUp,
    Resumption,
    Said,
    Say,
    SendDtmf,
    SetLanguage,
    Transfer,
    Usage,
    UserTurn,
)
from exobridge_providers.testing.contract.promises import (
    LIMIT_SECONDS,
    close_twice,
    nothing_left_behind,
    promise,
    within,
)

_ACTIONS = (Say, Transfer, HangUp, SendDtmf, CollectDigits, SetLanguage, Usage)
_CONTEXT = CallContext(
    call_sid="contract",
    caller="+919900000001",
    called="+918000000002",
    language="en-IN",
    variables={"caller": "+919900000001", "called": "+918000000002", "custom_field": ""},
    greeting="Hello.",
)


async def check_dialogue(
    provider: DialogueProvider,
    turns: Sequence[UserTurn],
    *,
    context: CallContext = _CONTEXT,
    limit_s: float = LIMIT_SECONDS,
) -> list[list[Action]]:
    """Every promise of :class:`~exobridge_providers.base.DialogueProvider`.

    Args:
        provider: Started.
        turns: At least one; each is one that the dialogue answers.
        context: Of the call.
        limit_s: Longest wait for an answer, in seconds.

    Returns:
        The actions of each turn.

    Raises:
        AssertionError: A promise was broken.
    """
    promise(bool(turns), "(the caller of this check gives turns)")
    async with nothing_left_behind():
        session = await provider.open(context)
        answers = [
            await within(_actions(session.respond(turn)), limit_s, "a turn's answer ends")
            for turn in turns
        ]
        for actions in answers:
            _check(actions)
        await close_twice(session.aclose, limit_s)
        await _bears_interruption(provider, turns[0], context, limit_s)
        await _bears_a_failed_transfer(provider, turns[0], context, limit_s)
        if provider.speculative:
            await _bears_a_guess(provider, turns[0], context, limit_s)
    return answers


async def _actions(answer: AsyncIterator[Action]) -> list[Action]:
    return [action async for action in answer]


def _check(actions: list[Action]) -> None:
    answered = any(not isinstance(action, Usage) and action != Say("") for action in actions)
    promise(answered, "a turn is answered")
    text = ""
    for action in actions:
        promise(_is_action(action), f"actions are of the declared types, not {action!r}")
        if isinstance(action, Say):
            text += action.text
            given = action.more or not action.text or bool(text.strip())
            promise(given, "a Say has a text, ends one, or is a sign of life")
            text = text if action.more else ""
        if isinstance(action, Usage):
            least = min(action.input_tokens, action.output_tokens)
            promise(least >= 0, "a Usage counts tokens, 0 or more")
    promise(not text, "a Say with more is followed by one without")


def _is_action(action: object) -> bool:
    return isinstance(action, _ACTIONS)


async def _bears_interruption(
    provider: DialogueProvider, turn: UserTurn, context: CallContext, limit_s: float
) -> None:
    session = await provider.open(context)
    answer = session.respond(turn)
    first = await within(anext(answer), limit_s, "a turn is answered")
    await within(answer.aclose(), limit_s, "an answer can be closed early")
    heard = first.text[: len(first.text) // 2] if isinstance(first, Say) else ""
    again = UserTurn(text=turn.text, digits=turn.digits, interrupted=True, heard=heard)
    await within(
        _actions(session.respond(again)), limit_s, "the turn after an interruption is answered"
    )
    await close_twice(session.aclose, limit_s)


async def _bears_a_failed_transfer(
    provider: DialogueProvider, turn: UserTurn, context: CallContext, limit_s: float
) -> None:
    """Within an answer, to which nothing need be added, and in another stream of the call."""
    history = (Said("bot", context.greeting or "Hello."), Said("caller", turn.text, turn.digits))
    resumed = Resumption("transfer-failed", target="sales", attempts=1)
    session = await provider.open(replace(context, history=history, resumed=resumed))
    told = (turn, UserTurn(transfer_failed="closed"), turn)
    answers = [
        await within(_actions(session.respond(each)), limit_s, "a failed transfer is borne")
        for each in told
    ]
    promise(all(map(_is_action, answers[1])), "what is added to an answer is of the declared types")
    _check(answers[2])
    await close_twice(session.aclose, limit_s)


async def _bears_a_guess(
    provider: DialogueProvider, turn: UserTurn, context: CallContext, limit_s: float
) -> None:
    """A turn that is not certain, and is taken back, is no part of the conversation."""
    never = asyncio.Event()

    async def certain() -> None:
        await never.wait()

    session = await provider.open(context)
    answer = session.respond(replace(turn, certain=certain))
    await within(anext(answer), limit_s, "a turn that is not certain yet is answered")
    await within(answer.aclose(), limit_s, "an answer to it can be taken back")
    actions = await within(
        _actions(session.respond(turn)), limit_s, "the turn after it is answered"
    )
    _check(actions)
    await close_twice(session.aclose, limit_s)
