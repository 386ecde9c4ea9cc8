"""The contract of a dialogue."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from exobridge_providers.base.common import Provider


@dataclass(frozen=True, slots=True)
class CallContext:
    """What a dialogue knows of its call.

    Attributes:
        call_sid: Exotel's id of the call.
        caller: The human's number in E.164, or empty.
        called: The ExoPhone in E.164, or empty.
        direction: ``incoming`` or ``outgoing``.
        language: BCP-47 tag.
        variables: What templates may use in texts: ``caller``, ``called``, ``custom_field`` and
            the stream's custom parameters.
        greeting: The line the caller hears first; the host has it spoken.
    """

    call_sid: str
    caller: str = ""
    called: str = ""
    direction: str = "incoming"
    language: str = "en-IN"
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    greeting: str = ""


@dataclass(frozen=True, slots=True)
class UserTurn:
    """What the caller did.

    Attributes:
        text: The final transcript; empty if only keys were pressed.
        digits: Keys pressed since the last turn, ``0-9*#A-D``.
        language: BCP-47 tag, where it was detected.
        interrupted: ``True`` if the caller spoke into the bot's last turn.
        heard: What the caller heard of the bot's last turn; all of it unless ``interrupted``.
    """

    text: str = ""
    digits: str = ""
    language: str | None = None
    interrupted: bool = False
    heard: str = ""


@dataclass(frozen=True, slots=True)
class Say:
    """Speak this text, a sentence or a few."""

    text: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """Hand the caller to a human, once what was said before has been played.

    Attributes:
        target: A name or an E.164 number; empty for the template's default.
        summary: For the human: who calls, and why.
    """

    target: str = ""
    summary: str = ""


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call, once what was said before has been played."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class SendDtmf:
    """Play these keys as tones: ``0-9*#A-D``."""

    digits: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer cost, for the record; nothing is said. More than one add up.

    Attributes:
        input_tokens: As the vendor bills them, 0 or more; ``output_tokens`` likewise.
    """

    input_tokens: int = 0
    output_tokens: int = 0


Action = Say | Transfer | HangUp | SendDtmf | Usage


class DialogueSession(Protocol):
    """The conversation of one call."""

    def respond(self, turn: UserTurn) -> AsyncGenerator[Action, None]:
        """Answer one turn, as a stream of actions. The host closes the generator early when the
        caller interrupts; the next turn tells what was heard. :class:`HangUp` and
        :class:`Transfer` end it, so a :class:`Usage` comes before them; that of an answer which
        was closed early may come with the next.

        Raises:
            ProviderError: No answer can be given.
        """
        ...

    async def aclose(self) -> None:
        """End the conversation and release everything."""
        ...


class DialogueProvider(Provider):
    """What the bot answers."""

    async def open(self, context: CallContext) -> DialogueSession:
        """Open the conversation of one call.

        Raises:
            ProviderError: It cannot be opened.
        """
        raise NotImplementedError
