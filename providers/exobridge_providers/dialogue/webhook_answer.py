"""What an application answers: actions, as JSON. Pure.

One action is an object with one key: ``{"say": "Hello."}``. An answer is ``{"actions": [...]}``
in one piece, or a stream of actions: one a line (NDJSON), or one a server-sent event.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import msgspec
from pydantic import Field

from exobridge_providers.base import Action, HangUp, Say, Transfer, Usage
from exobridge_providers.dialogue.actions import ACTIONS, Arguments, made
from exobridge_providers.dialogue.sse import Events, Lines
from exobridge_providers.errors import ProviderProtocolError

DONE = "[DONE]"
"""What may end a stream of events."""


class SayArguments(Arguments):
    """Words."""

    text: str
    more: bool = False
    interruptible: bool = True

    def action(self) -> Say:
        """As :meth:`Arguments.action`."""
        return Say(self.text, self.more, self.interruptible)


class UsageArguments(Arguments):
    """What the answer cost."""

    input_tokens: int = Field(default=0, ge=0)
    output_tokens: int = Field(default=0, ge=0)

    def action(self) -> Usage:
        """As :meth:`Arguments.action`."""
        return Usage(self.input_tokens, self.output_tokens)


KNOWN: dict[str, type[Arguments]] = {**ACTIONS, "say": SayArguments, "usage": UsageArguments}
SHORT = {
    "say": "text",
    "transfer": "target",
    "hang_up": "reason",
    "send_dtmf": "digits",
    "set_language": "language",
}
"""What a text in place of an action's object stands for."""


def action(found: object) -> Action:
    """The action of one object.

    Raises:
        ValueError: It is none; the message repeats nothing of it but known names.
    """
    if not isinstance(found, dict) or len(found) != 1:  # pyright: ignore[reportUnknownArgumentType]  # any JSON
        raise ValueError("an action is an object with one key")
    [(name, value)] = found.items()  # pyright: ignore[reportUnknownVariableType]  # likewise
    if name not in KNOWN:
        raise ValueError(f"there is no such action; known: {', '.join(sorted(KNOWN))}")
    if isinstance(value, str) and name in SHORT:
        value = {SHORT[name]: value}
    if value is True and name in ("transfer", "hang_up", "collect_digits"):
        value = {}
    try:
        return made(KNOWN[name], value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def ends(found: Action) -> bool:
    """Whether nothing may come after it."""
    return isinstance(found, HangUp | Transfer)


class Reader(Protocol):
    """Reads an answer as it comes."""

    def feed(self, data: bytes) -> Iterator[Action]:
        """The actions that are whole now.

        Raises:
            ProviderProtocolError: What came is no answer.
        """
        ...

    def end(self) -> Iterator[Action]:
        """Those that are left when all has come; raises as :meth:`feed`."""
        ...


def reader(content_type: str, provider: str) -> Reader:
    """The reader for an answer.

    Args:
        content_type: As the header says; of what is not known it is JSON in one piece.
    """
    match content_type.partition(";")[0].strip().lower():
        case "text/event-stream":
            return _EventReader(provider)
        case "application/x-ndjson" | "application/jsonl" | "application/json-seq":
            return _LineReader(provider)
        case _:
            return _WholeReader(provider)


class _Counted:
    """Turns objects into actions and says which of them is wrong."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._number = 0

    def _actions(self, found: list[Any]) -> Iterator[Action]:
        for each in found:
            self._number += 1
            try:
                made_of_it = action(each)
            except ValueError as error:
                raise self._wrong(f"action {self._number}: {error}") from None
            yield made_of_it

    def _decoded(self, text: str | bytes) -> Any:
        try:
            return msgspec.json.decode(text)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            where = f"action {self._number + 1}" if isinstance(text, str) else "it"
            raise self._wrong(f"{where} is no JSON") from None

    def _wrong(self, why: str) -> ProviderProtocolError:
        return ProviderProtocolError(
            f"the application's answer is wrong: {why}", provider=self._provider
        )


class _EventReader(_Counted):
    def __init__(self, provider: str) -> None:
        super().__init__(provider)
        self._events = Events(provider)

    def feed(self, data: bytes) -> Iterator[Action]:
        for event in self._events.feed(data):
            if event.strip() != DONE:
                yield from self._actions([self._decoded(event)])

    def end(self) -> Iterator[Action]:
        return iter(())


class _LineReader(_Counted):
    def __init__(self, provider: str) -> None:
        super().__init__(provider)
        self._lines = Lines(provider)

    def feed(self, data: bytes) -> Iterator[Action]:
        for line in self._lines.feed(data):
            yield from self._line(line)

    def end(self) -> Iterator[Action]:
        yield from self._line(self._lines.flush())

    def _line(self, line: str) -> Iterator[Action]:
        if line.strip():
            yield from self._actions([self._decoded(line)])


class _WholeReader(_Counted):
    def __init__(self, provider: str) -> None:
        super().__init__(provider)
        self._body = bytearray()

    def feed(self, data: bytes) -> Iterator[Action]:
        self._body += data
        return iter(())

    def end(self) -> Iterator[Action]:
        if not self._body.strip():
            return
        found = self._decoded(bytes(self._body))
        actions = found.get("actions") if isinstance(found, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # any JSON
        if not isinstance(actions, list):
            raise self._wrong('it is no object with a list "actions"')
        yield from self._actions(actions)  # pyright: ignore[reportUnknownArgumentType]  # likewise
