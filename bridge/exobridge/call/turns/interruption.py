"""Whether a sound while the bot has the floor is an interruption."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from exobridge.call.turns.segment import Segment
from exobridge.call.turns.vocabulary import Verdict
from exobridge.call.turns.voice import Voice

MIN_VOICE_MS = 120
"""Less voice than this is no speech."""

ASK_MS = 100
"""Silence after which the words are asked for."""

NOISE_OVER_MS = 250
"""Silence after which the sound is over."""

DECIDE_S = 0.9
"""Longest wait for words while the voice goes on."""

BLIND_S = 1.2
"""The same where the recogniser tells none before the end: that of a backchannel may be near."""

TEXT_MS = 700
"""Silence after which the text of a voice that is over is not waited for any more."""

BACKCHANNEL_S = 1.8
"""Longest wait for the end of a backchannel, or of a sound in which the recogniser finds no words,
and for words that may be wrong to be sure; who talks longer wants the floor."""


class Outcome(Enum):
    """What comes of it, so far."""

    WAIT = auto()
    ASK = auto()
    """The caller has paused: their words decide."""
    NOISE = auto()
    """It was no speech."""
    PASS = auto()
    """It was speech, and no interruption."""
    TAKE = auto()
    """It was an interruption."""


@dataclass(slots=True)
class Attempt:
    """The caller makes a sound, and the bot is held back.

    Attributes:
        since: When it began.
        texts: How many texts there were before.
        barge_in_ms: Voice that interrupts where no words decide.
        audible: The bot is heard. Before that nothing is lost by giving way.
        verdict: What its words are, as far as they are known; ``None``: nothing is.
        sure: They are an interruption even without those that only one partial had.
    """

    since: float
    texts: int
    barge_in_ms: int
    audible: bool
    verdict: Verdict | None = None
    sure: bool = False

    @property
    def doubtful(self) -> bool:
        """Its words may have been misheard: their final text would change what comes of it."""
        return self.verdict is Verdict.UNSURE or (
            self.verdict is Verdict.INTERRUPTION and not self.sure
        )

    def on_words(self, verdict: Verdict, voice: Voice, segment: Segment, *, sure: bool) -> Outcome:
        """Words are known; whether they are an interruption for ``sure``."""
        self.verdict, self.sure = verdict, sure
        # Where the voice goes on they will do; in a pause there will soon be better ones, and
        # until then the bot is not heard.
        if voice.silent_ms and not segment.known:
            return Outcome.WAIT
        early = self.doubtful and not self.audible
        return Outcome.TAKE if early or sure else Outcome.WAIT

    def on_voice(self, voice: Voice, segment: Segment, now: float) -> Outcome:
        """The voice goes on."""
        if not voice.speaking:
            return Outcome.WAIT
        if self.sure:
            return Outcome.TAKE
        if voice.voiced_ms < self.barge_in_ms:
            return Outcome.WAIT
        harmless = self.verdict in (Verdict.BACKCHANNEL, Verdict.NO_WORDS)
        if not self.audible:
            return Outcome.WAIT if harmless else Outcome.TAKE
        limit_s = BLIND_S if segment.blind else DECIDE_S
        if harmless or self.verdict is Verdict.INTERRUPTION:  # the next partial makes it sure
            limit_s = BACKCHANNEL_S
        return Outcome.TAKE if now - self.since >= limit_s else Outcome.WAIT

    def on_silence(self, voice: Voice, segment: Segment, now: float) -> Outcome:
        """The voice has paused."""
        over = voice.silent_ms >= NOISE_OVER_MS
        if voice.voiced_ms < MIN_VOICE_MS and not segment.partial:
            return Outcome.NOISE if over else Outcome.WAIT
        if voice.speaking and voice.silent_ms >= ASK_MS:
            return Outcome.ASK
        if over and segment.known:
            return Outcome.PASS
        if voice.silent_ms < TEXT_MS or now - self.since < DECIDE_S:
            return Outcome.WAIT if over else self.on_voice(voice, segment, now)
        loud = voice.voiced_ms >= self.barge_in_ms and self.verdict is None
        return Outcome.TAKE if loud or self.verdict is Verdict.INTERRUPTION else Outcome.PASS
