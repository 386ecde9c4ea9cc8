"""A call's dialogue, whoever leads it: the next one is told what was said and answers the turn."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from typing import get_args

from exobridge.call.digits import check_rules
from exobridge.call.failover.formed import check_formed
from exobridge.call.failover.lineup import Lineup, Seat
from exobridge.call.failover.means import Means
from exobridge.call.resuming import HISTORY_LINES
from exobridge.templates.provider_table import Choice
from exobridge_providers import base
from exobridge_providers.errors import ProviderError, ProviderUnavailableError

PATIENCE = 0.9
"""Part of the call's own limit after which an answer that began and then stopped is ended."""

ACTIONS = get_args(base.Action)
DialogueSeat = Seat[base.DialogueProvider, base.DialogueSession]
Actions = AsyncGenerator[base.Action, None]


class DialogueRelay:
    """Has the caller answered by whichever dialogue is at work.

    Args:
        context: What a dialogue is told of the call, as it stands now.
    """

    def __init__(
        self,
        lineup: Lineup[base.DialogueProvider],
        means: Means,
        context: Callable[[], base.CallContext],
    ) -> None:
        self._lineup = lineup
        self._means = means
        self._context = context
        self._said: deque[base.Said] = deque(context().history, maxlen=HISTORY_LINES)
        self._last_heard = self._last_operator = ""
        self._seat: DialogueSeat | None = None
        self._closed = False

    async def open(self) -> None:
        """Open the conversation.

        Raises:
            ProviderError: No provider could.
        """
        self._seat = await self._opened(tuple(self._said))

    @property
    def speculative(self) -> bool:
        """Whether the dialogue at work takes turns that are not certain yet."""
        return self._seat is not None and self._seat.provider.speculative

    @property
    def greeting_keys(self) -> base.CollectDigits | None:
        """As of the dialogue at work."""
        return self._seat.provider.greeting_keys if self._seat is not None else None

    async def respond(self, turn: base.UserTurn) -> AsyncGenerator[base.Action, None]:
        """As :meth:`exobridge_providers.base.DialogueSession.respond`. A dialogue that fails before
        it did anything is replaced; if it fails later, what it did stands, and the next turn is
        another's. What an answer cost is counted here."""
        before = self._remember(turn)
        failure: ProviderError | None = None
        acted = False
        while not (failure and acted):
            seat = await self._seated(before)
            actions: Actions | None = None
            if not seat.provider.speculative:
                await turn.certain()
            try:
                actions = self._asked(seat, turn)
                while (action := await self._next(seat, actions, acted=acted)) is not None:
                    acted = True
                    yield action
                return
            except ProviderError as error:
                failure = error
            finally:
                if actions is not None:
                    await self._close(actions)
            self._leave(seat)
            if not self._lineup.failed(seat.choice.name, failure):
                raise failure

    def _asked(self, seat: DialogueSeat, turn: base.UserTurn) -> Actions:
        try:
            return seat.session.respond(turn)
        except Exception as error:  # a plugin's bug: it may have no generator to raise it in
            raise self._means.reported("dialogue", seat.choice.name, error) from error

    async def _next(
        self, seat: DialogueSeat, actions: Actions, *, acted: bool
    ) -> base.Action | None:
        """The next action; ``None`` after the last."""
        name = seat.choice.name
        try:
            async with asyncio.timeout(self._limit_s(name, acted=acted)):
                action = await _formed(actions, name)
                while isinstance(action, base.Usage):
                    self._means.tally.count_tokens(name, action)
                    action = await _formed(actions, name)
        except StopAsyncIteration:
            return None
        except TimeoutError as late:
            raise ProviderUnavailableError("no answer in time", provider=name) from late
        except Exception as error:
            raise self._means.reported("dialogue", name, error) from error
        self._lineup.worked(seat)
        return action

    def _limit_s(self, name: str, *, acted: bool) -> float | None:
        """Where another could take over, this one has only its share of the wait for a first
        action; else the call's own limit is all there is."""
        if not self._lineup.has_other(name):
            return None
        limit_s = self._means.waits.dialogue
        return limit_s * PATIENCE if acted else self._lineup.share(limit_s)

    async def _close(self, actions: Actions) -> None:
        try:
            async with asyncio.timeout(self._means.waits.close):
                await actions.aclose()
        except Exception as error:  # a plugin's bug; its answer is over all the same
            self._means.log.warning("answer not closed cleanly", error=type(error).__name__)

    # -------------------------------------------------------------- what was said

    def _remember(self, turn: base.UserTurn) -> tuple[base.Said, ...]:
        """What was said before this turn."""
        said = self._said
        if turn.transfer_failed:
            return tuple(said)
        if turn.heard and turn.heard != self._last_heard:
            self._last_heard = turn.heard
            said.append(base.Said("bot", turn.heard))
        elif said and _goes_on(said[-1], turn):
            said.pop()  # nothing of the answer was heard: the caller goes on with the same turn
        if turn.operator and turn.operator != self._last_operator:
            said.append(base.Said("bot", turn.operator))
        self._last_operator = turn.operator
        before = tuple(said)
        if turn.text or turn.digits:
            said.append(base.Said("caller", turn.text, turn.digits))
        return before

    # -------------------------------------------------------------- who answers

    async def _seated(self, before: tuple[base.Said, ...]) -> DialogueSeat:
        if self._seat is None:
            seat = await self._opened(before)
            if self._closed:  # in the very moment in which it was opened
                self._means.retire("dialogue", seat.session)
                raise ProviderUnavailableError("the call is over", provider=seat.choice.name)
            self._seat = seat
            self._lineup.replaced(seat.choice.name)
        return self._seat

    async def _opened(self, before: tuple[base.Said, ...]) -> DialogueSeat:
        context = replace(self._context(), history=before)

        async def opening(provider: base.DialogueProvider, choice: Choice) -> base.DialogueSession:
            del choice
            return await provider.open(context)

        return await self._lineup.open(opening, context.language)

    def _leave(self, seat: DialogueSeat) -> None:
        if seat is self._seat:
            self._seat = None
            self._means.retire("dialogue", seat.session)

    async def aclose(self) -> None:
        """Close the session at work."""
        self._closed = True
        seat, self._seat = self._seat, None
        if seat is not None:
            await self._means.close("dialogue", seat.session)


async def _formed(actions: Actions, provider: str) -> base.Action:
    action = await anext(actions)
    check_formed(action, ACTIONS, "action", provider)
    if isinstance(action, base.CollectDigits):
        check_rules(action)
    return action


def _goes_on(said: base.Said, turn: base.UserTurn) -> bool:
    """Whether the turn is what the caller said before, and more."""
    begins = turn.text.startswith(said.text) and turn.digits.startswith(said.digits)
    return said.role == "caller" and begins
