"""The contracts: what a speech, dialogue or voice-activity provider is.

A *provider* is made once per process from its name and options, ``start()``-ed before the first
call (load the model, check the key) and ``aclose()``-d at the end. It opens one *session* a call.

The division of work, the same for every kind: **the plugin speaks its vendor's protocol and emits
typed events; the host does the time-outs, retries, failover, resampling, metrics and cleanup.**
What a plugin can do is declared in its capabilities and never probed. Failures are
:class:`~exobridge_providers.errors.ProviderError`; a session's ``aclose()`` may be called at any
time, more than once, and leaves no task and no socket behind.

Audio is bytes of one channel in an :class:`~exobridge_codecs.formats.AudioFormat`; times are in
milliseconds.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict

from exobridge_codecs.formats import AudioFormat
from exobridge_providers.errors import ProviderConfigError, ProviderError

AnyOptions = Mapping[str, Any]
"""Options as they stand in TOML, before they are validated."""


class Options(BaseModel):
    """Base of a provider's options, the ``[stt.options]`` table of a template.

    Unknown keys are refused, and a refused value is not repeated in the message (it may be a key).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Provider:
    """What all kinds have in common.

    Class attributes:
        options_type: The model its options are read into.
    """

    options_type: ClassVar[type[Options]] = Options

    def __init__(self, options: Options) -> None:
        del options

    async def start(self) -> None:
        """Load what every call needs. Called once, before the first session.

        Raises:
            ProviderError: It cannot work here; the message names the cure.
        """

    async def aclose(self) -> None:
        """Release what ``start`` took. All sessions have been closed before."""


def speaks(languages: frozenset[str], tag: str) -> bool:
    """Whether a provider's ``languages`` cover a BCP-47 tag: none means any, ``en`` every
    ``en-…``. Case does not count."""
    known = {language.lower() for language in languages}
    wanted = tag.lower()
    return not known or wanted in known or wanted.partition("-")[0] in known


def check_config(
    config: SttConfig | TtsConfig,
    capabilities: SttCapabilities | TtsCapabilities,
    provider: str,
) -> None:
    """What ``open`` asks of its config: a declared format and a declared language.

    Raises:
        ProviderConfigError: The config asks for something else.
    """
    if config.format not in capabilities.formats:
        known = ", ".join(f"{f.encoding} at {f.sample_rate} Hz" for f in capabilities.formats)
        raise ProviderConfigError(
            f"{provider} does not take {config.format.encoding} at {config.format.sample_rate} Hz; "
            f"it takes {known}",
            provider=provider,
        )
    if not speaks(capabilities.languages, config.language):
        raise ProviderConfigError(
            f"{provider} does not know the language {config.language!r}; it knows "
            f"{', '.join(sorted(capabilities.languages))}. Choose another provider for it",
            provider=provider,
        )


# ------------------------------------------------------------------ speech-to-text


@dataclass(frozen=True, slots=True)
class SttCapabilities:
    """What a speech-to-text provider can do.

    Attributes:
        formats: Accepted audio, the preferred first; the host resamples only where none fits.
        languages: BCP-47 tags it understands (``en-IN``; a bare ``en`` stands for every region);
            empty means any.
        continuous: ``True``: it wants the whole call, silence included. ``False``: the host sends
            only the caller's voiced segments (with some audio before each) and ends each one with
            ``finalize()``.
        interims: It sends :class:`Partial` events while the caller speaks.
        end_of_turn: It says itself when the caller's turn is over (``Final.end_of_turn``).
        keepalive_seconds: Longest pause in the audio it bears, or ``None`` for any.
    """

    formats: tuple[AudioFormat, ...]
    languages: frozenset[str] = frozenset()
    continuous: bool = True
    interims: bool = False
    end_of_turn: bool = False
    keepalive_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class SttConfig:
    """How a session is opened.

    Attributes:
        format: One of the provider's ``formats``; all audio of the session is in it.
        language: BCP-47 tag of the call's language, e.g. ``en-IN``.
        call_sid: For the provider's own log lines.
    """

    format: AudioFormat
    language: str
    call_sid: str = ""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The vendor hears the caller speak."""


@dataclass(frozen=True, slots=True)
class Partial:
    """The text so far of what is being said; replaces the partial before it."""

    text: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Final:
    """Text that will not change any more.

    Attributes:
        text: May be empty: nothing was said.
        language: BCP-47 tag, where the vendor detects it.
        end_of_turn: The vendor takes the caller's turn to be over.
        finalized: Answers a ``finalize()``: everything sent before it is in. Each ``finalize()`` is
            answered by exactly one such event.
    """

    text: str
    language: str | None = None
    end_of_turn: bool = False
    finalized: bool = False


@dataclass(frozen=True, slots=True)
class EagerEnd:
    """The turn is probably over; ``Resumed`` or a ``Final`` follows."""

    text: str


@dataclass(frozen=True, slots=True)
class Resumed:
    """The caller went on after an ``EagerEnd``."""


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The vendor hears the caller fall silent."""


@dataclass(frozen=True, slots=True)
class SttTrouble:
    """Something failed that the session survives (one segment, say). A fatal error is raised."""

    error: ProviderError


SttEvent = SpeechStarted | Partial | Final | EagerEnd | Resumed | SpeechEnded | SttTrouble


class SttSession(Protocol):
    """Speech-to-text of one call."""

    def send(self, audio: bytes) -> None:
        """Hand over one 20 ms frame. Never waits; a session that cannot keep up drops the oldest
        audio it holds and says so with :class:`SttTrouble`."""
        ...

    def finalize(self) -> None:
        """Ask for the final text of everything sent so far."""
        ...

    def events(self) -> AsyncIterator[SttEvent]:
        """The events, in order, until ``aclose``. Iterated once, by one task.

        Raises:
            ProviderError: The session is dead.
        """
        ...

    async def aclose(self) -> None:
        """End the session and release everything."""
        ...


class SttProvider(Provider):
    """Speech-to-text."""

    capabilities: SttCapabilities

    async def open(self, config: SttConfig) -> SttSession:
        """Open the session of one call.

        Raises:
            ProviderError: It cannot be opened.
        """
        raise NotImplementedError


# ------------------------------------------------------------------ text-to-speech


@dataclass(frozen=True, slots=True)
class TtsCapabilities:
    """What a text-to-speech provider can do.

    Attributes:
        formats: Audio it can make, the preferred first.
        languages: As in :class:`SttCapabilities`.
        max_chars: Longest text of one ``say``, in characters; the host splits longer ones.
    """

    formats: tuple[AudioFormat, ...]
    languages: frozenset[str] = frozenset()
    max_chars: int = 1000


@dataclass(frozen=True, slots=True)
class TtsConfig:
    """How a session is opened: one of the provider's formats, the language, the voice (empty: the
    provider's default)."""

    format: AudioFormat
    language: str
    voice: str = ""
    call_sid: str = ""


@dataclass(frozen=True, slots=True)
class TtsAudio:
    """Audio of the utterance ``utterance_id``, in order, in the session's format; any size of
    whole samples."""

    utterance_id: str
    audio: bytes


@dataclass(frozen=True, slots=True)
class TtsDone:
    """All audio of the utterance has been given out."""

    utterance_id: str


@dataclass(frozen=True, slots=True)
class TtsTrouble:
    """This utterance failed; the session goes on. No ``TtsDone`` follows. A fatal error is
    raised."""

    utterance_id: str
    error: ProviderError


TtsEvent = TtsAudio | TtsDone | TtsTrouble


class TtsSession(Protocol):
    """Text-to-speech of one call. Utterances are spoken in the order they were begun."""

    async def say(self, utterance_id: str, text: str, *, last: bool = True) -> None:
        """Add text to an utterance; ``last`` ends it. The id is the caller's choice, used once."""
        ...

    async def cancel(self, utterance_id: str) -> None:
        """Stop an utterance. Late audio of it may still come out; the host drops it by id."""
        ...

    def events(self) -> AsyncIterator[TtsEvent]:
        """The events, in order, until ``aclose``. Iterated once, by one task.

        Raises:
            ProviderError: The session is dead.
        """
        ...

    async def aclose(self) -> None:
        """End the session and release everything."""
        ...


class TtsProvider(Provider):
    """Text-to-speech."""

    capabilities: TtsCapabilities

    async def open(self, config: TtsConfig) -> TtsSession:
        """Open the session of one call.

        Raises:
            ProviderError: It cannot be opened.
        """
        raise NotImplementedError


# ------------------------------------------------------------------ voice activity


class VadSession(Protocol):
    """Voice activity of one call."""

    def send(self, pcm: bytes) -> None:
        """Hand over one 20 ms PCM16 frame. Never waits."""
        ...

    def close(self) -> None:
        """No result is reported after this returns."""
        ...


OnVoice = Callable[[float, float], None]
"""``on_voice(end_ms, probability)``: the window that ends at ``end_ms`` of the audio sent so far
holds speech with this probability (0 to 1). Called on the event loop, in order."""

OnVadFailure = Callable[[ProviderError], None]
"""Called once, on the event loop, when a session's results will stop coming."""


class VadProvider(Provider):
    """Voice-activity detection, run for all calls together.

    Attributes:
        sample_rates: Rates it takes, in hertz, the preferred first.
    """

    sample_rates: tuple[int, ...]

    def open(self, sample_rate: int, on_voice: OnVoice, on_failure: OnVadFailure) -> VadSession:
        """Open the session of one call at one of ``sample_rates``."""
        raise NotImplementedError


# ------------------------------------------------------------------ dialogue


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
        options: The provider's own options are in its ``Options``; nothing here repeats them.
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


Action = Say | Transfer | HangUp | SendDtmf


class DialogueSession(Protocol):
    """The conversation of one call."""

    def respond(self, turn: UserTurn) -> AsyncGenerator[Action, None]:
        """Answer one turn, as a stream of actions. The host closes the generator early when the
        caller interrupts; the next turn tells what was heard.

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


# ------------------------------------------------------------------ speech to speech


class RealtimeSession(Protocol):
    """A conversation that hears and speaks for itself: no STT, dialogue or TTS beside it."""

    def hear(self, pcm: bytes) -> None:
        """Hand over one 20 ms PCM16 frame of the caller. Never waits."""
        ...

    async def aclose(self) -> None:
        """End the session and release everything."""
        ...


Speak = Callable[[bytes], None]
"""``speak(pcm)``: play this PCM16 audio after what is already queued. Called on the event loop."""


class RealtimeProvider(Provider):
    """Speech to speech. ``dialogue.provider`` of a template may name one.

    Attributes:
        sample_rates: Rates it takes and makes, in hertz; empty: whatever the call has.
    """

    sample_rates: tuple[int, ...] = ()

    async def open(self, context: CallContext, sample_rate: int, speak: Speak) -> RealtimeSession:
        """Open the session of one call, hearing and speaking PCM16 at ``sample_rate``.

        Raises:
            ProviderError: It cannot be opened.
        """
        raise NotImplementedError
