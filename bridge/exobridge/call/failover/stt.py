"""A call's speech-to-text, whoever does it: the next one hears what the last did not answer."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import get_args

from exobridge.call.failover.journal import Journal
from exobridge.call.failover.lineup import Lineup, Seat
from exobridge.call.failover.means import Means
from exobridge.call.failover.relay import Relay
from exobridge.call.formats import choose_format
from exobridge.call.guarded import Guarded
from exobridge.call.hearing import Tap
from exobridge.templates.provider_table import Choice
from exobridge_codecs.formats import AudioFormat, pcm16
from exobridge_providers import base
from exobridge_providers.errors import ProviderError, ProviderUnavailableError

BATCH = 25
"""Frames that are replayed before the new session's own tasks have a turn."""

SttSeat = Seat[base.SttProvider, base.SttSession]


class SttRelay(Relay[base.SttProvider, base.SttSession, base.SttEvent]):
    """Takes the caller's audio for whichever provider is at work.

    Args:
        language: BCP-47 tag.
        line: What the line carries; frames come as PCM16 at its rate.
        take: Is told the events.
        fail: Is told that no provider is left.
        speaking: Whether the caller's audio belongs to a segment of speech now.
        seated: Is told what the provider at work can do.

    Attributes:
        capabilities: Those, once a session is open.
    """

    capabilities: base.SttCapabilities
    _declared = get_args(base.SttEvent)

    def __init__(
        self,
        lineup: Lineup[base.SttProvider],
        means: Means,
        language: str,
        call_sid: str,
        line: AudioFormat,
        *,
        take: Callable[[base.SttEvent], None],
        fail: Callable[[ProviderError], None],
        speaking: Callable[[], bool],
        seated: Callable[[base.SttCapabilities], None],
    ) -> None:
        super().__init__(lineup, means, language, fail)
        self._call_sid = call_sid
        self._line = line
        self._tell = take
        self._seated = seated
        self._speaking = speaking
        self._journal = Journal(speaking)
        self._feed: Callable[[bytes], None] | None = None
        self._asked_at: deque[float] = deque()
        self._timer: asyncio.TimerHandle | None = None

    # -------------------------------------------------------------- what the call asks for

    def send(self, audio: bytes) -> None:
        """Take one frame of 20 ms."""
        self._journal.heard(audio)
        if self._feed is not None:
            self._feed(audio)

    def finalize(self) -> None:
        """As :meth:`exobridge_providers.base.SttSession.finalize`. It is answered once, by whoever
        is at work then."""
        self._journal.asked()
        self._asked_at.append(self._now())
        if self._feed is not None:
            self._request(lambda session: session.finalize())
        self._watch()

    def peek(self) -> None:
        """As :meth:`exobridge_providers.base.SttSession.peek`; nothing happens where the provider
        at work does not offer it."""
        seat = self._seat
        if self._feed is not None and seat is not None and seat.provider.capabilities.on_demand:
            self._request(lambda session: session.peek())

    def _request(self, method: Callable[[base.SttSession], None]) -> None:
        seat = self._seat
        if seat is None:
            return
        try:
            method(seat.session)
        except Exception as error:  # a plugin's bug
            self._lost(seat, error)

    # -------------------------------------------------------------- what the provider says

    def _take(self, seat: SttSeat, event: base.SttEvent) -> None:
        match event:
            case base.Final():
                self._answered(event)
                self._lineup.worked(seat)
            case base.SttTrouble(error) if self._lineup.has_other(seat.choice.name):
                self._lost(seat, error)
                return
            case _:
                pass
        self._tell(event)

    def _answered(self, final: base.Final) -> None:
        if not final.finalized:
            self._journal.told()
            return
        self._journal.answered()
        if self._asked_at:
            self._asked_at.popleft()

    # -------------------------------------------------------------- who does it

    def _session_seconds(self, provider: base.SttProvider) -> float | None:
        return provider.capabilities.session_seconds

    @property
    def _is_idle(self) -> bool:
        return not self._asked_at and not self._speaking()

    async def _open_session(self, provider: base.SttProvider, choice: Choice) -> base.SttSession:
        wanted = choose_format(provider.capabilities.formats, self._line)
        return await provider.open(base.SttConfig(wanted, self._language, self._call_sid))

    def _events(self, session: base.SttSession) -> AsyncIterator[base.SttEvent]:
        return session.events()

    def _begin(self, seat: SttSeat) -> None:
        self.capabilities = seat.provider.capabilities
        self._seated(self.capabilities)
        to_session = Guarded(seat.session.send, lambda error: self._lost(seat, error))
        self._means.tally.to_stt.append((seat.choice.name, to_session))
        heard = pcm16(self._line.sample_rate)
        wanted = choose_format(seat.provider.capabilities.formats, self._line)
        feed = to_session if wanted == heard else Tap(heard, wanted, to_session).push
        self._asked_at = deque(self._now() for _ in self._asked_at)
        self._watch()
        if self._journal.is_empty:
            self._feed = feed
        else:
            self._means.spawn(self._replay(seat, feed))

    async def _replay(self, seat: SttSeat, feed: Callable[[bytes], None]) -> None:
        """Hand over what was not answered, faster than it was spoken; then the session is up to
        date, as no frame comes between the last look and that."""
        place = self._journal.begins
        while seat is self._seat:
            place = max(place, self._journal.begins)
            batch = self._journal.since(place, BATCH)
            if not batch:
                self._feed = feed
                return
            for entry in batch:
                if entry is None:
                    self._request(lambda session: session.finalize())
                else:
                    feed(entry)
            place += len(batch)
            await asyncio.sleep(0)

    def _halt(self) -> None:
        self._feed = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # -------------------------------------------------------------- the limit of an answer

    def _watch(self) -> None:
        """Where another provider could take over, this one has only its share of the wait."""
        seat = self._seat
        waiting = seat is not None and self._asked_at and self._timer is None
        if seat is not None and waiting and self._lineup.has_other(seat.choice.name):
            limit_s = self._lineup.share(self._means.waits.stt_final)
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(self._asked_at[0] + limit_s, self._look, limit_s)

    def _look(self, limit_s: float) -> None:
        self._timer = None
        seat = self._seat
        if seat is None or self._is_over:
            return
        late = self._asked_at and self._now() >= self._asked_at[0] + limit_s
        if late and self._lineup.has_other(seat.choice.name):
            self._lost(seat, ProviderUnavailableError("no final text in time"))
        else:
            self._watch()
