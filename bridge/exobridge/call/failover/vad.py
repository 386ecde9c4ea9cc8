"""A call's voice detection, of which there is one: a session that dies is opened anew, once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from exobridge.call.failover.lineup import Lineup, Seat
from exobridge.call.failover.means import Means
from exobridge.templates.provider_table import Choice
from exobridge_codecs.formats import FRAME_MS
from exobridge_providers import base
from exobridge_providers.errors import ProviderError, ProviderProtocolError


class VadRelay:
    """Listens to the caller with the session at work.

    Args:
        sample_rate: Of the PCM16 frames it is given, in hertz.
        on_voice: Is told of each window; its time counts from the first frame of the call,
            whichever session heard it.
        fail: Is told when no session is left.
    """

    def __init__(
        self,
        lineup: Lineup[base.VadProvider],
        means: Means,
        choice: Choice,
        provider: base.VadProvider,
        sample_rate: int,
        *,
        on_voice: base.OnVoice,
        fail: Callable[[ProviderError], None],
    ) -> None:
        self._lineup = lineup
        self._means = means
        self._choice = choice
        self._provider = provider
        self._sample_rate = sample_rate
        self._on_voice = on_voice
        self._fail = fail
        self._seat: Seat[base.VadProvider, base.VadSession] | None = None
        self._sessions = 0
        self._frames = 0

    def open(self) -> None:
        """Open a session. What it raises is the provider's."""
        self._sessions += 1
        number, begins_ms = self._sessions, self._frames * FRAME_MS

        def on_voice(end_ms: float, probability: float) -> None:
            if number == self._sessions and self._seat is not None:
                self._lineup.worked(self._seat)
                try:
                    self._on_voice(begins_ms + end_ms, probability)
                except Exception as error:  # told what is no probability: a plugin's bug
                    self._lost(error)

        def on_failure(error: ProviderError) -> None:
            if number == self._sessions:
                self._lost(_as_error(error))

        now = asyncio.get_running_loop().time()
        session = self._provider.open(self._sample_rate, on_voice, on_failure)
        self._seat = Seat(self._choice, self._provider, session, now)

    def send(self, pcm: bytes) -> None:
        """Take one frame of 20 ms."""
        self._frames += 1
        if self._seat is not None:
            try:
                self._seat.session.send(pcm)
            except Exception as error:  # a plugin's bug
                self._lost(error)

    def _lost(self, error: Exception) -> None:
        self.close()
        name = self._choice.name
        failure = self._means.reported("vad", name, error)
        if not self._lineup.failed(name, failure):
            self._fail(failure)
            return
        try:
            self.open()
        except Exception as refused:
            self._lost(refused)
        else:
            self._lineup.replaced(name)

    def close(self) -> None:
        """Close the session at work; no more is told."""
        seat, self._seat = self._seat, None
        self._sessions += 1
        if seat is None:
            return
        try:
            seat.session.close()
        except Exception as error:  # a plugin's bug must not keep the other sessions open
            self._means.reported("vad", seat.choice.name, error)


def _as_error(told: object) -> Exception:
    """What a session told as its failure; a plugin's bug may have told anything."""
    if isinstance(told, Exception):
        return told
    return ProviderProtocolError(f"failed with {type(told).__name__}, which is no error")
