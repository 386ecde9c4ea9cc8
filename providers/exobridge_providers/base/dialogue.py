"""The contract of a dialogue."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol

from exobridge_providers.base.common import Provider


@dataclass(frozen=True, slots=True)
class Said:
    """What one side said, as far as the other heard it.

    Attributes:
        digits: Keys that the caller pressed, ``0-9*#A-D``.
    """

    role: Literal["caller", "bot"]
    text: str
    digits: str = ""


TransferFailure = Literal["closed", "unknown"]
"""Why a :class:`Transfer` cannot be had: nobody is there at this time, or the template knows no
such target."""


@dataclass(frozen=True, slots=True)
class Resumption:
    """Why a call that was in conversation before has come back: Exotel opened another stream of it.

    Attributes:
        why: ``transfer-failed``: the bot handed the caller to a human and nobody was reached;
            ``after-transfer``: a human spoke with them, and now they are led back to the bot;
            ``dropped``: the stream before broke off.
        target: Of the transfer, as the dialogue named it.
        attempts: How often numbers were dialled for it, 0 or more.
    """

    why: Literal["transfer-failed", "after-transfer", "dropped"]
    target: str = ""
    attempts: int = 0


def _any_language(tag: str) -> bool:
    del tag
    return True


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
        greeting: The line the caller hears first; the host has it spoken. In a call that was
            ``resumed`` it is the line that says so.
        history: What was said before, the greeting too, where a call was ``resumed``, or a dialogue
            takes over from one that failed in the middle of it; the latest 200 lines.
        resumed: Why the call has come back; ``None``: it is its first stream, or the bot had ended
            the one before.
        can_speak: Whether the call could go on in a language, a BCP-47 tag:
            :class:`SetLanguage` to another changes nothing. To be asked in a turn, not before.
    """

    call_sid: str
    caller: str = ""
    called: str = ""
    direction: str = "incoming"
    language: str = "en-IN"
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    greeting: str = ""
    history: tuple[Said, ...] = ()
    resumed: Resumption | None = None
    can_speak: Callable[[str], bool] = field(default=_any_language, compare=False, repr=False)


async def _at_once() -> None:
    """A turn that is certain."""


@dataclass(frozen=True, slots=True)
class UserTurn:
    """What the caller did.

    Attributes:
        text: The final transcript; empty if only keys were pressed.
        digits: Keys pressed since the last turn, ``0-9*#A-D``.
        language: BCP-47 tag, where it was detected.
        interrupted: ``True`` if the caller spoke into the bot's last turn.
        heard: What the caller heard of the bot's last turn; all of it unless ``interrupted``.
        operator: What the caller heard, since the dialogue's last answer, of lines that an operator
            had the bot say.
        certain: Returns once the turn is known to be over. A turn may be given early, to a dialogue
            that takes such (``DialogueProvider.speculative``), and is taken back by closing the
            answer: whatever has an effect outside the answer, a tool say, waits for it first.
        transfer_failed: The :class:`Transfer` that ended the last answer cannot be had. This is no
            turn of the caller's, and everything else in it is empty: it asks for the rest of that
            answer. Where nothing is said in it, the host says a line of the template's.
    """

    text: str = ""
    digits: str = ""
    language: str | None = None
    interrupted: bool = False
    heard: str = ""
    operator: str = ""
    transfer_failed: TransferFailure | None = None
    certain: Callable[[], Awaitable[None]] = field(default=_at_once, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Say:
    """Speak this text: markup is taken out and numbers are written out for the ear by the host.
    ``Say("")`` ends what was begun with ``more``; where nothing was it is a sign of life, as the
    host limits the wait for each action.

    Attributes:
        text: A sentence or a few; with ``more``, any piece of one, its white space included.
        more: The next ``Say`` goes on with it, in the middle of a word maybe. The host joins the
            pieces and has each sentence spoken as soon as it is whole.
        interruptible: ``False``: the caller hears it to its end, whatever they say meanwhile.
    """

    text: str
    more: bool = False
    interruptible: bool = True


@dataclass(frozen=True, slots=True)
class Transfer:
    """Hand the caller to a human, once what was said before has been played, or a line of the
    template's where nothing was. One that cannot be had is told by ``UserTurn.transfer_failed``.

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
class CollectDigits:
    """Take the caller's keys by these rules, from now until the next turn, which holds them.

    Attributes:
        max_digits: The turn is over when so many were pressed, 1 to 64.
        terminator: A key that ends them and is not one of them, of ``0-9*#``; empty: none.
        timeout_seconds: Longest pause, before the first key and after each. When it has passed
            the turn is over with what there is, maybe nothing.
    """

    max_digits: int = 64
    terminator: str = "#"
    timeout_seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class SetLanguage:
    """Go on in this language: recognition, voice, backchannels and how numbers are read.

    Attributes:
        language: BCP-47 tag, e.g. ``hi-IN``.
    """

    language: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer cost, for the record; nothing is said. More than one add up.

    Attributes:
        input_tokens: As the vendor bills them, 0 or more; ``output_tokens`` likewise.
    """

    input_tokens: int = 0
    output_tokens: int = 0


Action = Say | Transfer | HangUp | SendDtmf | CollectDigits | SetLanguage | Usage


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
    """What the bot answers.

    Class attributes:
        speculative: It takes turns that are not certain yet (``UserTurn.certain``).

    Attributes:
        greeting_keys: By what rules the caller's keys answer the greeting, as if the dialogue had
            asked for them with it; ``None``: it has not.
    """

    speculative: ClassVar[bool] = False
    greeting_keys: CollectDigits | None = None

    async def open(self, context: CallContext) -> DialogueSession:
        """Open the conversation of one call.

        Raises:
            ProviderError: It cannot be opened.
        """
        raise NotImplementedError
