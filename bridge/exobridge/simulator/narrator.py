"""Tells a listener what is new on a stream: lines begun, utterances begun and over."""

from __future__ import annotations

from exobridge.simulator import events
from exobridge.simulator.caller import Caller
from exobridge.simulator.earpiece import Earpiece
from exobridge.simulator.steps import LineKind


class Narrator:
    """Looks once a frame; tells each thing once, an utterance's end before the next one's start."""

    def __init__(self, caller: Caller, earpiece: Earpiece, tell: events.Listener) -> None:
        self._caller = caller
        self._earpiece = earpiece
        self._tell = tell
        self._lines = self._begun = self._over = 0

    def news(self, now_ms: float) -> None:
        """Tell what happened since the last look."""
        while self._lines < len(self._caller.lines):
            line = self._caller.lines[self._lines]
            self._lines += 1
            if line.kind not in (LineKind.BARGE_IN, LineKind.BACKCHANNEL):  # the bot had finished
                self._earpiece.cut(line.voiced_from_ms)
            self._earpiece.cut(line.voiced_to_ms)
            self._tell(events.CallerSpeaks(line))
        utterances = self._earpiece.utterances
        while self._begun < len(utterances):
            self._tell_over(self._begun)
            self._begun += 1
            self._tell(events.BotSpeaks(utterances[self._begun - 1].start_ms))
        self._tell_over(self._earpiece.finished(now_ms))

    def last(self, now_ms: float) -> None:
        """Tell the rest: nothing more will be heard."""
        self.news(now_ms)
        self._tell_over(len(self._earpiece.utterances))

    def _tell_over(self, finished: int) -> None:
        while self._over < finished:
            utterance = self._earpiece.utterances[self._over]
            self._tell(
                events.BotSpoke(
                    number=self._over,
                    start_ms=utterance.start_ms,
                    end_ms=utterance.end_ms,
                    pcm=self._earpiece.pcm(utterance.start_ms, utterance.end_ms),
                )
            )
            self._over += 1
