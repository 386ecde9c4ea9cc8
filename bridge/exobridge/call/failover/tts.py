"""A call's text-to-speech, whoever does it: the next one says what the last did not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import get_args

from exobridge.call.failover.lineup import Lineup, Seat
from exobridge.call.failover.means import Means
from exobridge.call.failover.relay import Relay
from exobridge.call.failover.script import Line, Speed
from exobridge.call.formats import choose_format
from exobridge.templates.provider_table import Choice
from exobridge_codecs.codec import Transcode, decoder
from exobridge_codecs.formats import AudioFormat, Encoding
from exobridge_codecs.pcm import whole_samples
from exobridge_codecs.resample import Resampler
from exobridge_providers import base
from exobridge_providers.errors import ProviderError, ProviderUnavailableError

TtsSeat = Seat[base.TtsProvider, base.TtsSession]


class TtsRelay(Relay[base.TtsProvider, base.TtsSession, base.TtsEvent]):
    """Has the call's lines said by whichever provider is at work, in the order in which they were
    begun.

    Args:
        language: BCP-47 tag.
        line: What the line carries: audio is asked for in that format where it can be had.
        own_language: What the voices of the template are for; empty: ``language``.
        take: Is told the events.
        fail: Is told that no provider is left.

    Attributes:
        sample_rate: Of the audio it gives out, PCM16, in hertz: the first provider's.
        max_chars: Longest text of one ``say``, likewise.
    """

    _declared = get_args(base.TtsEvent)

    def __init__(
        self,
        lineup: Lineup[base.TtsProvider],
        means: Means,
        language: str,
        call_sid: str,
        line: AudioFormat,
        *,
        own_language: str = "",
        take: Callable[[base.TtsEvent], None],
        fail: Callable[[ProviderError], None],
    ) -> None:
        super().__init__(lineup, means, language, fail)
        self.sample_rate = 0
        self.max_chars = 0
        self._own_language = own_language or language
        self._call_sid = call_sid
        self._line = line
        self._tell = take
        self._lines: dict[str, Line] = {}
        self._speed = Speed()
        self._decode: Transcode = decoder(Encoding.PCM16)
        self._resampler: Resampler | None = None
        self._giving = asyncio.Lock()
        self._fewer = asyncio.Event()
        self._heard_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    # -------------------------------------------------------------- what the call asks for

    async def say(self, utterance_id: str, text: str, *, last: bool = True) -> None:
        """As :meth:`exobridge_providers.base.TtsSession.say`. What fails is told otherwise."""
        line = self._lines.get(utterance_id)
        if line is None:
            line = Line(utterance_id, self._language, self._now())
            self._lines[utterance_id] = line
        line.text += text
        line.whole = last
        self._watch()
        await self._give()

    async def cancel(self, utterance_id: str) -> None:
        """As :meth:`exobridge_providers.base.TtsSession.cancel`."""
        line, seat = self._lines.pop(utterance_id, None), self._seat
        self._fewer.set()
        if line is None or seat is None or not (line.given > line.begins or line.closed):
            return
        if self._resampler is not None and line.audio_ms:
            self._resampler.flush()
        await self._ask(seat, partial(seat.session.cancel, utterance_id))

    async def _give(self) -> None:
        seat = self._seat
        if seat is None:
            return
        async with self._giving:  # of this session: that of a lost one may be held by what hangs
            while seat is self._seat:
                lines = (each for each in self._lines.values() if not each.is_given)
                line = next(lines, None)
                if line is None or line.language != self._speaks:
                    return
                await self._give_line(seat, line)

    async def _give_line(self, seat: TtsSeat, line: Line) -> None:
        pieces = line.pieces(seat.provider.capabilities.max_chars)
        line.given, line.closed, line.asked_at = len(line.text), line.whole, self._now()
        self._means.tally.tts_characters[seat.choice.name] += sum(map(len, pieces))
        for number, piece in enumerate(pieces, start=1):
            last = line.closed and number == len(pieces)
            if not await self._ask(seat, partial(seat.session.say, line.id, piece, last=last)):
                return

    async def _ask(self, seat: TtsSeat, asking: Callable[[], Awaitable[None]]) -> bool:
        """Ask a session something, within the limit; whether it took it and is still at work."""
        limit_s = self._lineup.share(self._means.waits.tts_first_audio)
        try:
            async with asyncio.timeout(limit_s):
                await asking()
        except TimeoutError:
            self._lost(seat, ProviderUnavailableError("did not take a line in time"))
        except Exception as error:
            self._lost(seat, error)
        return seat is self._seat

    # -------------------------------------------------------------- what the provider says

    def _take(self, seat: TtsSeat, event: base.TtsEvent) -> None:
        self._heard_at = self._now()
        line = self._lines.get(event.utterance_id)
        if line is None:
            return
        match event:
            case base.TtsAudio():
                self._lineup.worked(seat)
                self._audio(line, event.audio)
            case base.TtsDone():
                self._drain(line)
                self._speed.said(line)
                self._over(line)
                self._tell(event)
            case base.TtsTrouble():
                self._trouble(seat, line, event)

    def _audio(self, line: Line, audio: bytes) -> None:
        audio = self._decode(audio)
        if self._resampler is not None:
            audio = self._resampler.process(whole_samples(audio))
        line.audio_ms += len(audio) / 2 / self.sample_rate * 1000
        self._tell(base.TtsAudio(line.id, audio))

    def _drain(self, line: Line) -> None:
        """Give out what the resampler still holds of a line."""
        if self._resampler is not None and line.audio_ms:
            self._tell(base.TtsAudio(line.id, self._resampler.flush()))

    def _trouble(self, seat: TtsSeat, line: Line, event: base.TtsTrouble) -> None:
        if self._lineup.has_other(seat.choice.name):
            self._lost(seat, event.error)
            return
        self._drain(line)
        self._over(line)
        self._tell(event)

    def _over(self, line: Line) -> None:
        del self._lines[line.id]
        self._fewer.set()

    # -------------------------------------------------------------- who does it

    def _session_seconds(self, provider: base.TtsProvider) -> float | None:
        return provider.capabilities.session_seconds

    @property
    def _is_idle(self) -> bool:
        return not self._lines

    async def _open_session(self, provider: base.TtsProvider, choice: Choice) -> base.TtsSession:
        language = self._language
        voice = choice.voice if language == self._own_language else ""
        wanted = choose_format(provider.capabilities.formats, self._line)
        return await provider.open(base.TtsConfig(wanted, language, voice, self._call_sid))

    def _events(self, session: base.TtsSession) -> AsyncIterator[base.TtsEvent]:
        return session.events()

    def _begin(self, seat: TtsSeat) -> None:
        made = choose_format(seat.provider.capabilities.formats, self._line)
        rate = made.sample_rate
        self._decode = decoder(made.encoding)
        if not self.sample_rate:
            self.sample_rate, self.max_chars = rate, seat.provider.capabilities.max_chars
        self._resampler = Resampler(rate, self.sample_rate) if rate != self.sample_rate else None
        self._giving = asyncio.Lock()
        for line in list(self._lines.values()):
            line.language = self._speaks
            line.start_over(self._now(), self._speed.ms_per_char)
            if line.whole and line.begins == len(line.text):
                self._over(line)  # only its end had not been told
                self._tell(base.TtsDone(line.id))
        self._speed = Speed()
        self._watch()
        if self._lines:
            self._means.spawn(self._give())

    def _halt(self) -> None:
        self._fewer.set()
        for line in () if self._closed else self._lines.values():
            self._drain(line)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _may_begin(self) -> None:
        # What was begun in the language before is said by its voice.
        while self._seat is not None and any(
            line.language != self._language for line in self._lines.values()
        ):
            self._fewer.clear()
            await self._fewer.wait()

    def _stay(self) -> None:
        for line in self._lines.values():
            line.language = self._speaks
        self._means.spawn(self._give())

    # -------------------------------------------------------------- the limit of an answer

    def _awaited(self) -> Line | None:
        """The first line whose text is whole and whose audio is not."""
        return next((line for line in self._lines.values() if line.closed), None)

    def _watch(self) -> None:
        """Where another provider could take over, this one has only its share of the wait."""
        seat = self._seat
        if seat is None or self._timer is not None or not self._lines:
            return
        if self._lineup.has_other(seat.choice.name):
            limit_s = self._lineup.share(self._means.waits.tts_first_audio)
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(limit_s / 2, self._look, limit_s)

    def _look(self, limit_s: float) -> None:
        self._timer = None
        seat, line = self._seat, self._awaited()
        if seat is None or self._is_over:
            return
        since = max(line.asked_at, self._heard_at) if line else self._now()
        if self._now() - since >= limit_s and self._lineup.has_other(seat.choice.name):
            self._lost(seat, ProviderUnavailableError("no audio in time"))
        else:
            self._watch()
