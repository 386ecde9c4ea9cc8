"""What was said in a call, as the caller heard it. Pure: no clock, no I/O.

The host speaks an answer later than the dialogue writes it, and may not speak all of it. So an
exchange counts in full only when the next turn has told what was heard:

- an answer that was cut counts as far as it was heard;
- an answer that was closed before anything of it was heard leaves no trace, and neither does its
  turn: the caller went on, and the next turn holds both parts. What tools did stays: they must not
  do it twice;
- a line that the host said of itself ("Are you still there?"), or that an operator had it say, is
  added to the bot's words.

What was said before this dialogue took over is known as it was heard, and stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from exobridge_providers.base import CallContext, Said, UserTurn

CUT = "(I interrupted you here, and heard no more of your last words than stand above.)"
"""Stands before the words of a caller who interrupted."""

_WORD = re.compile(r"\w+")
_SKIPPED = 8
"""Words of an answer, in a row, that may be missing in what was heard: a link's address is."""
_STARTS = 20
"""Places where what was heard may begin."""


@dataclass(slots=True)
class ToolCall:
    """A tool that was called.

    Attributes:
        arguments: JSON, as the model wrote it.
        result: What the model is told.
        done: It did something, or may have.
    """

    id: str
    name: str
    arguments: str
    result: str = ""
    done: bool = False


@dataclass(slots=True)
class Step:
    """Some words of the bot, and the tools it called after them."""

    text: str = ""
    calls: list[ToolCall] = field(default_factory=list[ToolCall])


@dataclass(slots=True)
class Exchange:
    """A turn of the caller and the bot's answer.

    Attributes:
        turn: ``None`` for what opens the call.
        finished: The whole answer was given out.
        heard: It is from before this dialogue took over.
        cuts: The turn cut words of the bot, of which some were heard: they stand above it.
    """

    turn: UserTurn | None = None
    steps: list[Step] = field(default_factory=list[Step])
    finished: bool = False
    heard: bool = False
    cuts: bool = False

    def step(self) -> Step:
        """A new one, at the end."""
        self.steps.append(Step())
        return self.steps[-1]

    @property
    def user(self) -> str:
        """The caller's words and keys, for a model."""
        if self.turn is None:
            return ""
        parts = [CUT if self.cuts else "", self.turn.text]
        parts.append(f"(I pressed the keys {self.turn.digits})" if self.turn.digits else "")
        return "\n".join(part for part in parts if part)

    @property
    def said(self) -> str:
        """The bot's words."""
        return " ".join(step.text for step in self.steps if step.text)

    @property
    def worked(self) -> bool:
        """A tool did something."""
        return any(call.done for step in self.steps for call in step.calls)

    @property
    def size(self) -> int:
        """Characters."""
        calls = [call for step in self.steps for call in step.calls]
        tools = sum(len(call.name) + len(call.arguments) + len(call.result) for call in calls)
        return len(self.user) + len(self.said) + tools

    def cut(self, end: int) -> None:
        """Keep only the first ``end`` characters of :attr:`said`."""
        for step in self.steps:
            text, step.text = step.text, step.text[: max(0, end)]
            end -= len(text) + 1 if text else 0


class History:
    """One call's exchanges, the oldest first.

    Args:
        context: Has what was said before; without it the greeting is what the host says first.
        max_chars: When there are more, the oldest exchanges are forgotten, and some beyond, so
            that the beginning of what is left (which vendors cache) does not change with each turn.
    """

    def __init__(self, context: CallContext, max_chars: int) -> None:
        self._max_chars = max_chars
        self._exchanges = _exchanges(context.history)
        if context.greeting and not self._exchanges:
            self._exchanges.append(Exchange(steps=[Step(context.greeting)], finished=True))

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self._exchanges)

    def begin(self, turn: UserTurn) -> Exchange:
        """Take the turn, and what it tells of the one before. One that asks for the rest of an
        answer goes on with that exchange."""
        if turn.transfer_failed and self._exchanges:
            self._exchanges[-1].finished = False
            return self._exchanges[-1]
        last = self._exchanges[-1:]
        if last:
            self._settle(turn)
        if turn.operator:
            self._add_operator(turn.operator)
        stands = any(each.said for each in last) and self._exchanges[-1:] == last
        self._exchanges.append(Exchange(turn, cuts=turn.interrupted and stands))
        self._bound()
        return self._exchanges[-1]

    def _settle(self, turn: UserTurn) -> None:
        last = self._exchanges[-1]
        before = (exchange.said for exchange in reversed(self._exchanges[:-1]))
        earlier = next(filter(None, before), "")
        end = heard_until(last.said, turn.heard)
        if last.heard:
            if turn.heard and end is None and heard_until(earlier, turn.heard) is None:
                last.steps.append(Step(turn.heard))
        elif end is None and _taken_back(last, earlier, turn):
            last.cut(0)
            if not last.worked:
                self._exchanges.pop()
        elif end is not None:
            if turn.interrupted or turn.operator or not last.finished:
                last.cut(end)
        elif turn.interrupted or turn.heard:
            if turn.interrupted and not (last.finished and turn.heard):
                last.cut(0)
            if turn.heard:
                last.steps.append(Step(turn.heard))

    def _add_operator(self, text: str) -> None:
        """An operator's lines are the bot's words. A turn that was taken back tells them again."""
        if not self._exchanges:
            self._exchanges.append(Exchange(finished=True))
        last = self._exchanges[-1]
        if heard_until(last.said, text) is None:
            last.steps.append(Step(text))

    def _bound(self) -> None:
        size = sum(exchange.size for exchange in self._exchanges)
        if size <= self._max_chars:
            return
        while size > self._max_chars * 3 // 4 and len(self._exchanges) > 1:
            size -= self._exchanges.pop(0).size


def _exchanges(said: Sequence[Said]) -> list[Exchange]:
    found: list[Exchange] = []
    for each in said:
        if each.role == "caller":
            found.append(Exchange(UserTurn(each.text, each.digits), heard=True))
            continue
        if not found:
            found.append(Exchange(heard=True))
        found[-1].steps.append(Step(each.text))
    return found


def _taken_back(last: Exchange, earlier: str, turn: UserTurn) -> bool:
    """Whether nothing was heard of the last answer, as the caller had not finished. What is told
    as heard is then of the answer before it, or empty."""
    if last.turn is None:
        return False
    if turn.heard:
        unheard = heard_until(earlier, turn.heard) is not None
    else:
        before, now = words(last.turn.text), words(turn.text)
        unheard = now[: len(before)] == before and turn.digits.startswith(last.turn.digits)
    return unheard or not (last.finished or turn.interrupted)


def words(text: str) -> list[str]:
    """The text's words, without case and punctuation."""
    return [found[0].casefold() for found in _WORD.finditer(text)]


def heard_until(said: str, heard: str) -> int | None:
    """Where in ``said`` ends what was ``heard`` of it, which may begin in its middle and lack some
    words; ``None`` if it is no part of it."""
    wanted = words(heard)
    if not wanted:
        return None
    spoken = [(found[0].casefold(), found.end()) for found in _WORD.finditer(said)]
    starts = (at for at, (word, _) in enumerate(spoken) if word == wanted[0])
    for start in islice(starts, _STARTS):
        if (end := _follow(spoken, start, wanted)) is not None:
            space = re.compile(r"\s").search(said, end)  # vowel signs and punctuation belong to it
            return space.start() if space else len(said)
    return None


def _follow(spoken: list[tuple[str, int]], at: int, wanted: list[str]) -> int | None:
    for word in wanted:
        near = range(at, min(at + _SKIPPED + 1, len(spoken)))
        found = next((place for place in near if spoken[place][0] == word), None)
        if found is None:
            return None
        at = found + 1
    return spoken[at - 1][1]
