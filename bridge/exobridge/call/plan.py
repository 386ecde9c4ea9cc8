"""What a call is given: what it shall do, what it works with, and how long it waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Protocol

from exobridge.call.events import CallEvent, Turn
from exobridge.call.meters import Meters
from exobridge.call.prompts import Prompts
from exobridge.call.wheel import Wheel
from exobridge.provider_names import dialogue_kind
from exobridge.provider_pool import ProviderPool
from exobridge.templates.models import Template
from exobridge.templates.text import call_variables, render
from exobridge_codecs.formats import AudioFormat, Encoding
from exobridge_providers.registry import Kind


@dataclass(frozen=True, slots=True)
class CallPlan:
    """What is decided of a call before its first word.

    Attributes:
        caller: The human's number in E.164, or empty; ``called`` the ExoPhone.
        direction: ``incoming`` or ``outgoing``.
        say: The only line of a call that is turned away by a spoken word; ``None``: converse.
        refusal: Why it is turned away, for the record.
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

    def variables(self) -> dict[str, str]:
        """What texts may use."""
        return call_variables(
            self.template.variables,
            caller=self.caller,
            called=self.called,
            custom_field=self.custom_field,
            call_sid=self.call_sid,
            parameters=self.parameters,
        )

    def text(self, text: str) -> str:
        """One of the template's texts, its variables filled in."""
        return render(text, self.variables())

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
    goodbye: float = 12.0
    """For a last line to be played."""
    close: float = 3.0
    """For a provider to close its session."""
    send: float = 5.0
    """For a peer that does not read."""


@dataclass(frozen=True, slots=True)
class Services:
    """What all calls of a process share."""

    pool: ProviderPool
    prompts: Prompts
    wheel: Wheel
    recorder: Recorder
    wall_clock: Callable[[], datetime]
    waits: Waits = Waits()
    meters: Meters = field(default_factory=Meters)
