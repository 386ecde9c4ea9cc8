"""A speech-to-text provider with a script in place of ears."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Literal

from pydantic import Field

from exobridge_codecs.formats import pcm16
from exobridge_codecs.pcm import peak_dbfs
from exobridge_providers.base import (
    Final,
    Options,
    Partial,
    Resumed,
    SpeechEnded,
    SpeechStarted,
    SttCapabilities,
    SttConfig,
    SttEvent,
    SttProvider,
    SttSession,
    SttTrouble,
    check_config,
)
from exobridge_providers.errors import ProviderUnavailableError
from exobridge_providers.events import EventStream

LOUD_DBFS = -40.0
"""A frame whose peak is above this is taken for speech, in dBFS."""
PARTIAL_EVERY_MS = 200

SttFault = Literal["none", "open", "die", "hang", "trouble", "twice", "garbage", "no-peek"]


class FakeSttOptions(Options):
    """What it hears, and what goes wrong.

    Attributes:
        script: The texts of the caller's turns, in order.
        otherwise: The text of every turn after those.
        languages: As in the capabilities; none is any.
        sample_rates: Hertz, the preferred first.
        continuous: Wants the whole call; needed by ``end_of_turn``.
        interims: Sends a ``Partial`` with one more word each 200 ms of speech.
        on_demand: Answers ``peek`` with the words that such a ``Partial`` would hold.
        partials: For each turn of the script the texts of its partials, one each 200 ms of speech,
            in place of its growing text; the last one stays.
        end_of_turn: Ends a turn itself, ``silence_ms`` after the last loud frame.
        silence_ms: See there.
        delay_ms: How late each answer comes.
        fault: ``open`` raises; ``die`` kills the session in place of an answer; ``hang`` does not
            answer ``finalize``; ``trouble`` answers with ``SttTrouble`` and an empty final;
            ``twice`` answers twice; ``garbage`` puts events around the final that have no place
            there, ``Resumed`` before it and a ``Partial`` of the same turn after it; ``no-peek``
            does not answer ``peek``.
        fault_at: The answer from which on it goes wrong; the first is 1.
    """

    script: tuple[str, ...] = ()
    otherwise: str = ""
    languages: frozenset[str] = frozenset()
    sample_rates: tuple[int, ...] = (8000, 16000)
    continuous: bool = False
    interims: bool = False
    on_demand: bool = False
    partials: tuple[tuple[str, ...], ...] = ()
    end_of_turn: bool = False
    silence_ms: int = Field(default=300, ge=20)
    delay_ms: float = Field(default=0, ge=0)
    fault: SttFault = "none"
    fault_at: int = Field(default=1, ge=1)


class FakeSttSession:
    """One call's script.

    Attributes:
        sent_bytes: Audio received so far.
    """

    def __init__(self, options: FakeSttOptions, config: SttConfig) -> None:
        self.sent_bytes = 0
        self._options = options
        self._format = config.format
        self._events: EventStream[SttEvent] = EventStream()
        self._answers = 0
        self._turns = 0
        self._speech_ms = 0
        self._quiet_ms = 0
        self._heard = False
        self._speaking = False
        self._timers: set[asyncio.TimerHandle] = set()
        self._peek: asyncio.Handle | None = None

    def send(self, audio: bytes) -> None:
        """Count; speech is whatever is loud."""
        self.sent_bytes += len(audio)
        self._heard = self._heard or bool(audio)
        options = self._options
        if not (options.interims or options.on_demand or options.end_of_turn):
            return
        ms = int(self._format.duration_ms(len(audio)))
        if peak_dbfs(audio) > LOUD_DBFS:
            self._hear_speech(ms)
        elif self._speaking:
            self._hear_silence(ms)

    def _hear_speech(self, ms: int) -> None:
        if not self._speaking:
            self._speaking = True
            self._speech_ms = 0
            if self._options.interims or self._options.end_of_turn:
                self._events.post(SpeechStarted())
        self._quiet_ms = 0
        before = self._speech_ms // PARTIAL_EVERY_MS
        self._speech_ms += ms
        words = self._speech_ms // PARTIAL_EVERY_MS
        if self._options.interims and words > before:
            self._events.post(Partial(self._text_so_far()))

    def _text_so_far(self) -> str:
        words = self._speech_ms // PARTIAL_EVERY_MS if self._speaking else 0
        if self._turns < len(self._options.partials):
            partials = self._options.partials[self._turns]
            return partials[min(words, len(partials)) - 1] if words and partials else ""
        return " ".join(self._next_text().split()[:words])

    def _hear_silence(self, ms: int) -> None:
        self._quiet_ms += ms
        if self._options.end_of_turn and self._quiet_ms >= self._options.silence_ms:
            self._events.post(SpeechEnded())
            self._answer(self._take_text(), end_of_turn=True)

    def peek(self) -> None:
        """Answer with the words so far, ``delay_ms`` later, unless ``finalize`` comes before."""
        if self._heard and self._peek is None and self._options.fault != "no-peek":
            loop = asyncio.get_running_loop()
            self._peek = loop.call_later(self._options.delay_ms / 1000, self._answer_peek)

    def _answer_peek(self) -> None:
        self._peek = None
        self._events.post(Partial(self._text_so_far()))

    def _forget_peek(self) -> None:
        if self._peek is not None:
            self._peek.cancel()
            self._peek = None

    def finalize(self) -> None:
        """Answer with the script's next text; with none if no audio came since the last."""
        self._forget_peek()
        self._answer(self._take_text(), finalized=True)

    def _next_text(self) -> str:
        script = self._options.script
        return script[self._turns] if self._turns < len(script) else self._options.otherwise

    def _take_text(self) -> str:
        heard = self._speaking if self._options.end_of_turn else self._heard
        self._heard = self._speaking = False
        if not heard:
            return ""
        text = self._next_text()
        self._turns += 1
        return text

    def _answer(self, text: str, *, end_of_turn: bool = False, finalized: bool = False) -> None:
        self._answers += 1
        final = Final(text, end_of_turn=end_of_turn, finalized=finalized)
        wrong = self._options.fault != "none" and self._answers >= self._options.fault_at
        send = self._go_wrong if wrong else self._events.post
        if not self._options.delay_ms:
            send(final)
            return

        def later() -> None:
            self._timers.discard(timer)
            send(final)

        timer = asyncio.get_running_loop().call_later(self._options.delay_ms / 1000, later)
        self._timers.add(timer)

    def _go_wrong(self, final: Final) -> None:
        match self._options.fault:
            case "die":
                self._events.fail(ProviderUnavailableError("the line broke", provider="fake"))
            case "trouble":
                error = ProviderUnavailableError("one segment failed", provider="fake")
                self._events.post(SttTrouble(error))
                self._events.post(Final("", finalized=final.finalized))
            case "twice":
                self._events.post(final)
                self._events.post(final)
            case "no-peek":
                self._events.post(final)
            case "garbage":
                self._events.post(Resumed())
                self._events.post(final)
                self._events.post(Partial(final.text))
            case _:  # "hang": no answer; "open" never comes this far
                pass

    def events(self) -> AsyncIterator[SttEvent]:
        """As :meth:`exobridge_providers.base.SttSession.events`."""
        return aiter(self._events)

    async def aclose(self) -> None:
        """As :meth:`exobridge_providers.base.SttSession.aclose`."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._forget_peek()
        self._events.close()


class FakeStt(SttProvider):
    """Speech-to-text by script.

    Unrealistic in that it does not listen: any loud sound is the next line of the script, at no
    cost, and an answer comes at once or exactly ``delay_ms`` later.

    Attributes:
        sessions: All that were opened, for tests to look at.
    """

    options_type = FakeSttOptions
    offline = True

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        assert isinstance(options, FakeSttOptions)
        self._options = options
        self.capabilities = SttCapabilities(
            formats=tuple(map(pcm16, options.sample_rates)),
            languages=options.languages,
            continuous=options.continuous,
            interims=options.interims,
            on_demand=options.on_demand,
            end_of_turn=options.end_of_turn,
        )
        self.sessions: list[FakeSttSession] = []

    async def open(self, config: SttConfig) -> SttSession:
        """As :meth:`exobridge_providers.base.SttProvider.open`."""
        check_config(config, self.capabilities, "fake")
        if self._options.fault == "open":
            raise ProviderUnavailableError("nobody there", provider="fake")
        session = FakeSttSession(self._options, config)
        self.sessions.append(session)
        return session
