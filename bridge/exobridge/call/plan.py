"""What a call is given: what it shall do, what it works with, and how long it waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Protocol

from exobridge.call.events import CallEvent, Turn
from exobridge.call.meters import Meters
from exobridge.call.placed import NOT_PLACED, PlacedCall
from exobridge.call.prompts import Prompts
from exobridge.call.resuming import first_line, language_of, resumption, said_before
from exobridge.call.routed import NOT_ROUTED, Routed
from exobridge.call.state import Call
from exobridge.call.tape import Tapes
from exobridge.call.wheel import Wheel
from exobridge.provider_names import dialogue_kind
from exobridge.provider_pool import ProviderPool
from exobridge.templates.models import Template
from exobridge.templates.text import call_variables, render
from exobridge.wire.recorder import WireRecorder
from exobridge_codecs.formats import AudioFormat, Encoding
from exobridge_providers.base import Resumption, Said
from exobridge_providers.registry import Kind

NOBODY_FREE = "nobody free"
"""Why a call is ended whose transfer failed, where the template wants that."""


@dataclass(frozen=True, slots=True)
class CallPlan:
    """What is decided of a call before its first word.

    Attributes:
        caller: The human's number in E.164, or empty; ``called`` the ExoPhone.
        direction: ``incoming`` or ``outgoing``.
        say: The only line of a call that is turned away by a spoken word; ``None``: converse.
        refusal: Why it is turned away, for the record.
        language: What it begins in, a BCP-47 tag; empty: the template's.
        routed: What the template's rules decided.
        placed: As what we had it placed, if we had.
        resumed: Why it goes on in this stream; ``None``: it begins.
        history: What was said before, as far as it was heard.
    """

    call_sid: str
    template_name: str
    template: Template
    caller: str = ""
    called: str = ""
    direction: str = "incoming"
    custom_field: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    say: str | None = None
    refusal: str = ""
    language: str = ""
    routed: Routed = NOT_ROUTED
    placed: PlacedCall = NOT_PLACED
    resumed: Resumption | None = None
    history: tuple[Said, ...] = ()

    def variables(self) -> dict[str, str]:
        """What texts may use: a dial's go over a rule's, and those over the template's."""
        routed, placed = self.routed.variables, self.placed.variables
        return call_variables(
            {**self.template.variables, **dict(routed), **dict(placed)},
            caller=self.caller,
            called=self.called,
            custom_field=self.custom_field,
            call_sid=self.call_sid,
            parameters=self.parameters,
        )

    def text(self, text: str) -> str:
        """One of the template's texts, its variables filled in."""
        return render(text, self.variables())

    def opening(self) -> tuple[str, str]:
        """What the bot says first: that the call is recorded, where the template has it said, and
        the greeting. Either may be empty. Who has heard them before hears why the call goes on."""
        template = self.template
        if self.resumed is not None:
            texts = template.texts_in(self.first_language)
            return "", self.text(first_line(self.resumed, texts))
        greeting = self.routed.say or self.text(template.greeting_in(self.first_language))
        return self.text(template.recording.consent), greeting

    @property
    def first_language(self) -> str:
        """What the call begins in, a BCP-47 tag."""
        return self.language or self.template.language

    @property
    def converses(self) -> bool:
        """Whether a conversation is held, of STT, dialogue and TTS; a speech-to-speech session
        does without."""
        return self.say is not None or not is_realtime(self.template.dialogue.provider)

    @property
    def forced_format(self) -> AudioFormat | None:
        """The format the template forces, or ``None``: it is found out."""
        stream = self.template.stream
        if stream.encoding == "auto":
            return None
        return AudioFormat(Encoding(stream.encoding), stream.sample_rate)


def going_on(plan: CallPlan, call: Call, turns: Sequence[Turn], stream_sid: str) -> CallPlan:
    """The plan of a call that was in conversation before.

    Args:
        call, turns: What is known of it, and what was said.
    """
    resumed = resumption(call, stream_sid)
    if resumed is None:
        return plan
    plan = replace(
        plan,
        resumed=resumed,
        history=said_before(turns),
        language=language_of(turns) or plan.language,
    )
    if resumed.why != "transfer-failed" or plan.template.transfer.when_failed == "resume":
        return plan
    texts = plan.template.texts_in(plan.first_language)
    return replace(plan, say=texts.nobody_free, refusal=NOBODY_FREE)


@lru_cache(maxsize=1024)
def is_realtime(dialogue_provider: str) -> bool:
    """Whether ``dialogue.provider`` names a speech-to-speech provider. Remembered: looking through
    the installed packages reads files, which takes milliseconds."""
    return dialogue_kind(dialogue_provider) is Kind.REALTIME


class Recorder(Protocol):
    """Keeps the facts, in order."""

    async def append(self, event: CallEvent) -> None:
        """Keep an event, and wait until it is kept.

        Raises:
            ExobridgeError: It is not.
        """
        ...

    def append_soon(self, event: CallEvent) -> None:
        """Keep an event, without waiting."""
        ...

    def add_turn_soon(self, turn: Turn) -> None:
        """Keep a turn, without waiting."""
        ...


class Line(Protocol):
    """The WebSocket of one call, as the call sees it."""

    def send(self, text: str) -> None:
        """Send a text frame. Never waits; a peer that does not read ends the line."""
        ...

    async def listen(self, on_text: Callable[[bytes], None]) -> int:
        """Hand every text frame to ``on_text`` until the line ends.

        Returns:
            The close code; 1006 if there was none.
        """
        ...

    def close(self, code: int) -> None:
        """Close the line; after it ended, nothing happens."""
        ...


@dataclass(frozen=True, slots=True)
class StoreWaits:
    """The limit of a wait for the database, in seconds, each time it is asked. What it is told goes
    on by itself, and is kept later."""

    desk: float = 1.5
    """When a call is answered, or its stream begins; that takes two questions, and Exotel bears an
    answer within 3 s."""
    passthru: float = 0.4
    """When an applet asks for a branch: the caller waits for it."""
    greeting: float = 0.4
    """When an applet asks for a text, likewise."""
    callback: float = 2.5
    """When Exotel tells something. Nobody is on the line, but it does not wait for long, either."""
    whisper: float = 1.0
    """When a whisper is asked for, and nothing else waits."""


@dataclass(frozen=True, slots=True)
class Waits:
    """The limit of every wait, in seconds."""

    start: float = 10.0
    """From the open socket to Exotel's ``start``."""
    plan: float = 5.0
    """From ``start`` until it is decided what to do with the call: the database, and the other
    workers, are asked."""
    open: float = 8.0
    """For a provider to open its session."""
    greeting: float = 8.0
    """For the greeting's audio."""
    stt_final: float = 6.0
    """From ``finalize`` to the final text."""
    dialogue: float = 15.0
    """For each action of the dialogue."""
    tts_first_audio: float = 8.0
    """From a line to its first audio."""
    line: float = 5.0
    """Without any frame from Exotel, whose audio flows in silence too."""
    transfer: float = 2.0
    """For a transfer to be kept, before the line is left."""
    dialling: float = 0.5
    """For the database, each time it is asked, when a Connect applet asks whom to dial."""
    goodbye: float = 12.0
    """Without any of the last words being made or sent, before the line is left all the same."""
    close: float = 3.0
    """For a provider to close its session."""
    send: float = 5.0
    """For a peer that does not read."""
    store: StoreWaits = StoreWaits()
    """For the database."""


@dataclass(frozen=True, slots=True)
class Services:
    """What all calls of a process share.

    Attributes:
        tapes: Records the streams whose template wants it; ``None``: none is recorded.
        wire: Keeps what passes on the wire; ``None``: it is not kept.
    """

    pool: ProviderPool
    prompts: Prompts
    wheel: Wheel
    recorder: Recorder
    wall_clock: Callable[[], datetime]
    waits: Waits = Waits()
    meters: Meters = field(default_factory=Meters)
    tapes: Tapes | None = None
    wire: WireRecorder | None = None
