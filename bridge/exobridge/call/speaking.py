"""The way out: lines to audio, audio to the playout, chunks to Exotel.

A line is an *utterance*. Its audio comes from the prompts rendered ahead, or from the call's
text-to-speech session; late audio of an utterance that was cut is dropped by its id.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from exobridge.call.playout import Heard, Played, Playout, PlayoutOptions, SendMark, SendMedia
from exobridge.call.tape import Tape
from exobridge.call.text import heard_part, spoken_pieces
from exobridge.call.wheel import Timer, Wheel
from exobridge.exotel.stream import ExotelStream
from exobridge_codecs.formats import AudioFormat, pcm16
from exobridge_codecs.pcm import whole_samples
from exobridge_codecs.resample import Resampler
from exobridge_providers.base import TtsAudio, TtsDone, TtsEvent, TtsTrouble
from exobridge_providers.errors import ProviderError

CHARS_PER_SECOND = 15.0
"""Speaking rate assumed of a line whose audio is not whole yet."""


@dataclass(slots=True)
class Utterance:
    """One line of the bot.

    Attributes:
        text: What is said.
        asked_at: When its audio was asked for.
        first_audio_at: When the first audio of it came.
        first_sent_at: When the first chunk of it went out.
        done_at: When it had been played, or was cut.
        heard: What the caller heard of ``text``; all of it unless it was cut.
        heard_ms: Audio of it the caller heard.
        audio_ms: Audio of it there is so far.
        ended: There will be no more.
    """

    id: str
    text: str
    asked_at: float
    first_audio_at: float | None = None
    first_sent_at: float | None = None
    done_at: float | None = None
    heard: str = ""
    heard_ms: float = 0.0
    audio_ms: float = 0.0
    ended: bool = False


class Voice(Protocol):
    """Text-to-speech, as the lines see it: see :class:`exobridge_providers.base.TtsSession`."""

    async def say(self, utterance_id: str, text: str, *, last: bool = True) -> None:
        """Add text to an utterance; ``last`` ends it."""
        ...

    async def cancel(self, utterance_id: str) -> None:
        """Stop an utterance."""
        ...


class SpeakingListener(Protocol):
    """Who is told what becomes of the lines."""

    def started(self, utterance: Utterance) -> None:
        """The first chunk of it went out."""
        ...

    def played(self, utterance: Utterance) -> None:
        """It has been played whole."""
        ...

    def failed(self, utterance: Utterance, error: ProviderError) -> None:
        """It will not be played."""
        ...


class Speaking:
    """What one call says.

    Args:
        stream: Makes the text frames.
        send: Sends one; never waits.
        wheel: Paces the playout.
        now: The loop's clock, in seconds.

    Attributes:
        listener: Who is told of the lines; ``None``: nobody.
        sample_rate: The line's, in hertz, once it is open.
        tape: Takes what the caller hears; ``None``: it is not recorded.
        spoken: What the voice is given of a text; records and dialogues keep it as it was written.
        moved_at: When audio of a line came, or went out, last.
    """

    def __init__(
        self,
        stream: ExotelStream,
        send: Callable[[str], None],
        wheel: Wheel,
        now: Callable[[], float],
    ) -> None:
        self.listener: SpeakingListener | None = None
        self.sample_rate = 0
        self.tape: Tape | None = None
        self.spoken: Callable[[str], str] = str
        self.moved_at = 0.0
        self._stream = stream
        self._send = send
        self._now = now
        self._timer: Timer = wheel.timer(self._pump)
        self._playout: Playout | None = None
        self._opened_at = 0.0
        self._format = pcm16(0)
        self._tts: Voice | None = None
        self._max_chars = 0
        self._resampler: Resampler | None = None
        self._tts_rate = 0
        self._resampling = ""
        self._heard_from_tts_at = 0.0
        self._sent_at = 0.0
        self._utterances: dict[str, Utterance] = {}
        self._muted = False

    # -------------------------------------------------------------- what it works with

    def open_line(self, audio_format: AudioFormat, options: PlayoutOptions) -> None:
        """The line's format is known: audio can go out. Called again if it proves wrong."""
        self._drain(self._resampling)
        self.sample_rate = audio_format.sample_rate
        self._format = audio_format
        if self._playout is None:
            self._opened_at = self._now()
            self._playout = Playout(audio_format, self._opened_at, options)
        else:
            self._playout.set_format(audio_format)
            self._arm(self._now())
        if self._tts is not None:
            self.use(self._tts, self._tts_rate, self._max_chars)

    def use(self, session: Voice, sample_rate: int, max_chars: int) -> None:
        """Make lines with this text-to-speech session, whose audio is PCM16 at ``sample_rate``."""
        self._tts = session
        self._tts_rate = sample_rate
        self._max_chars = max_chars
        self._resampler = None
        if sample_rate != self.sample_rate:
            self._resampler = Resampler(sample_rate, self.sample_rate)

    # -------------------------------------------------------------- saying

    @property
    def silent(self) -> bool:
        """Nothing is being said, or waits to be."""
        return not self._utterances

    def say_audio(self, utterance_id: str, text: str, pcm: bytes) -> Utterance:
        """Say a line whose audio, PCM16 at the line's rate, is there."""
        utterance = self.begin(utterance_id, text)
        self.add_audio(utterance_id, pcm)
        self.end_audio(utterance_id)
        return utterance

    async def say(self, utterance: Utterance) -> None:
        """Have the audio of a line made that was begun.

        Raises:
            ProviderError: The text-to-speech session is dead.
        """
        assert self._tts is not None
        *before, last = spoken_pieces(self.spoken(utterance.text), self._max_chars)
        try:
            for piece in before:
                await self._tts.say(utterance.id, piece, last=False)
            await self._tts.say(utterance.id, last)
        except ProviderError:
            self._forget(utterance)
            raise

    def begin(self, utterance_id: str, text: str) -> Utterance:
        """Begin a line; lines are played in the order in which they were begun."""
        assert self._playout is not None
        utterance = Utterance(utterance_id, text, self._now())
        self._utterances[utterance_id] = utterance
        # Its audio may come after that of a later line that was ready.
        self._playout.begin(utterance_id)
        return utterance

    def _forget(self, utterance: Utterance) -> None:
        """It will not be said; what there is of it is played."""
        if self._utterances.get(utterance.id) is not utterance:
            return
        if utterance.audio_ms:
            self.end_audio(utterance.id)
            return
        assert self._playout is not None
        del self._utterances[utterance.id]
        self._playout.discard(utterance.id)
        self._arm(self._now())

    def player(self, sample_rate: int) -> Callable[[bytes], None]:
        """Plays audio that belongs to no line: PCM16 at ``sample_rate`` Hz, as it comes."""
        assert self._playout is not None
        playout = self._playout
        line_rate = self.sample_rate
        resampler = Resampler(sample_rate, line_rate)

        def play(pcm: bytes) -> None:
            nonlocal line_rate, resampler
            if line_rate != self.sample_rate:
                line_rate = self.sample_rate
                resampler = Resampler(sample_rate, line_rate)
            playout.add("", resampler.process(whole_samples(pcm)))
            self._arm(self._now())

        return play

    def take(self, event: TtsEvent) -> None:
        """An event of the text-to-speech session; what belongs to no utterance, or to one that has
        ended, is dropped."""
        utterance = self._utterances.get(event.utterance_id)
        if utterance is None or utterance.ended:
            return
        self._heard_from_tts_at = self._now()
        match event:
            case TtsAudio():
                audio = whole_samples(event.audio)
                if self._resampler is not None:
                    self._resampling = utterance.id
                    audio = self._resampler.process(audio)
                self.add_audio(utterance.id, audio)
            case TtsDone():
                self._drain(utterance.id)
                self.end_audio(utterance.id)
            case TtsTrouble():
                self._fail(utterance, event.error)

    def _drain(self, utterance_id: str) -> None:
        """Add what the resampler still holds of an utterance."""
        if self._resampler is None or self._resampling != utterance_id:
            return
        self._resampling = ""
        rest = self._resampler.flush()
        if utterance_id in self._utterances:
            self.add_audio(utterance_id, rest)

    def _fail(self, utterance: Utterance, error: ProviderError) -> None:
        # Where half a line was made, what there is is played, and counts as the line.
        self._drain(utterance.id)
        self._forget(utterance)
        if not utterance.audio_ms and self.listener is not None:
            self.listener.failed(utterance, error)

    def add_audio(self, utterance_id: str, pcm: bytes) -> None:
        """Audio of an utterance."""
        assert self._playout is not None
        utterance = self._utterances[utterance_id]
        if pcm:
            self.moved_at = self._now()
            if utterance.first_audio_at is None:
                utterance.first_audio_at = self.moved_at
        utterance.audio_ms += len(pcm) / 2 / self.sample_rate * 1000
        self._playout.add(utterance_id, pcm)
        self._arm(self._now())

    def end_audio(self, utterance_id: str) -> None:
        """All audio of an utterance is there."""
        assert self._playout is not None
        self._utterances[utterance_id].ended = True
        self._playout.end(utterance_id)
        self._arm(self._now())

    def overdue(self, now: float, limit_s: float) -> Utterance | None:
        """An utterance whose first audio has been awaited longer than ``limit_s``, or whose audio
        has stopped half-way and was sent as long ago. Those behind it wait for it."""
        awaited = next((each for each in self._utterances.values() if not each.ended), None)
        if awaited is None:
            return None
        since = max(awaited.asked_at, self._heard_from_tts_at)
        if awaited.first_audio_at is not None:
            since = max(since, self._sent_at)
        return awaited if now - since > limit_s else None

    # -------------------------------------------------------------- barge-in

    def pause(self) -> None:
        """Hold back what was not sent."""
        if self._playout is not None:
            self._playout.pause()
            self._arm(self._now())

    def resume(self) -> None:
        """Go on with it."""
        if self._playout is not None:
            self._playout.resume()
            self._arm(self._now())

    def cut(self) -> list[Utterance]:
        """Fall silent at once.

        Returns:
            The utterances that were not played whole, in order, with what was heard of each. Their
            audio is no longer wanted: see :meth:`cancel`.
        """
        utterances, self._utterances = list(self._utterances.values()), {}
        if self._playout is None:
            return utterances
        now = self._now()
        if self.tape is not None:
            self.tape.cut(now)
        cut = {heard.utterance: heard for heard in self._playout.clear(now)}
        if any(heard.sent_ms for heard in cut.values()) and not self._muted:
            self._send(self._stream.send_clear())
        self._drain(self._resampling)
        for utterance in utterances:
            _close(utterance, cut.get(utterance.id), now, self.spoken)
        self._arm(now)
        return utterances

    async def cancel(self, utterances: list[Utterance]) -> None:
        """Tell the provider that these were cut.

        Raises:
            ProviderError: The text-to-speech session is dead.
        """
        if self._tts is not None:
            for utterance in utterances:
                await self._tts.cancel(utterance.id)

    # -------------------------------------------------------------- playing

    def mark_played(self, name: str) -> None:
        """Exotel returned a mark."""
        if self._playout is not None:
            now = self._now()
            for played in self._playout.mark_played(name):
                self._played(played, now)
            self._arm(now)

    def _pump(self, now: float) -> None:
        assert self._playout is not None
        for out in self._playout.advance(now):
            match out:
                case SendMedia():
                    self._sent_at = now
                    self._send(self._stream.send_media(out.payload, out.timestamp_ms))
                    if self.tape is not None:
                        heard_at = self._opened_at + out.timestamp_ms / 1000
                        self.tape.sent(heard_at, out.payload, self._format)
                    if (utterance := self._utterances.get(out.utterance)) is not None:
                        self._line_sent(utterance, now)
                case SendMark():
                    self._send(self._stream.send_mark(out.name))
                case Played():
                    self._played(out, now)
        self._arm(now)

    def _line_sent(self, utterance: Utterance, now: float) -> None:
        self.moved_at = now
        if utterance.first_sent_at is None:
            utterance.first_sent_at = now
            if self.listener is not None:
                self.listener.started(utterance)

    def _played(self, played: Played, now: float) -> None:
        utterance = self._utterances.pop(played.utterance, None)
        if utterance is None:
            return
        _close(utterance, None, now, self.spoken)
        utterance.heard_ms = utterance.audio_ms
        if self.listener is not None:
            self.listener.played(utterance)

    def _arm(self, now: float) -> None:
        assert self._playout is not None
        if not self._muted:
            self._timer.at(self._playout.due(now))

    def mute(self) -> None:
        """Send nothing any more: the line is gone."""
        self._timer.at(None)
        self._muted = True


def _close(
    utterance: Utterance, cut: Heard | None, now: float, spoken: Callable[[str], str]
) -> None:
    """Note how much of an utterance was heard; ``cut`` is ``None`` if it was played whole."""
    utterance.done_at = now
    if cut is None:
        utterance.heard = utterance.text
        return
    utterance.heard_ms = cut.heard_ms
    whole_ms = cut.known_ms
    if not cut.whole:
        whole_ms = max(whole_ms, len(spoken(utterance.text)) / CHARS_PER_SECOND * 1000)
    fraction = cut.heard_ms / whole_ms if whole_ms else 0.0
    utterance.heard = heard_part(utterance.text, fraction, spoken)
