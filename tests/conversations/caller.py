"""The caller: performs the acts, 20 ms at a time. Pure; told the time and what is heard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from tests.conversations.acts import (
    KEY_MS,
    PATIENCE_MS,
    Act,
    After,
    Into,
    Kind,
    MyTurn,
    Press,
    Sound,
    Speak,
)
from tests.conversations.scenario import Scenario
from tests.conversations.track import FRAME_MS, SpokenWord, Track
from tests.conversations.variation import Variant

END = MyTurn(1900.0)
"""When the caller hangs up: a little longer than any other pause."""


Dice = Callable[[], float]
"""Throws a number from 0 to 1."""


class Ear(Protocol):
    """What the caller hears of the bot."""

    def first_heard_ms(self, since_ms: float) -> float | None:
        """When the bot first was audible at or after ``since_ms``."""
        ...

    @property
    def last_heard_ms(self) -> float:
        """When the bot was audible last; 0: never."""
        ...


@dataclass(slots=True)
class Performed:
    """An act as it came about, in ms since the stream began.

    Attributes:
        pauses: Those in the middle of a sentence, from and to.
        waited_in_vain: The bot was not heard.
    """

    number: int
    act: Act
    start_ms: float
    end_ms: float
    words: list[SpokenWord] = field(default_factory=list[SpokenWord])
    pauses: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    waited_in_vain: bool = False


class Caller:
    """One caller.

    Attributes:
        performed: The acts that have begun.
        done: There is nothing left to do: hang up.
        in_vain: The caller waited in vain for a last answer.
    """

    def __init__(self, scenario: Scenario, variant: Variant, track: Track) -> None:
        self.performed: list[Performed] = []
        self.done = False
        self.in_vain = False
        self._acts = iter(scenario.acts)
        self._variant = variant
        self._track = track
        self._dice = variant.chance("caller")
        self._since_ms = 0.0
        self._waiting = next(self._acts, None)
        self._late_ms = self._spread()
        self._running: Iterator[tuple[float, str]] | None = None

    def _spread(self) -> float:
        most = self._waiting.spread_ms if self._waiting is not None else 0.0
        return self._dice.uniform(0.0, most)

    def tick(self, now_ms: float, ear: Ear) -> tuple[float, str]:
        """How much the frame from ``now_ms`` on sounds like a voice, and a key that is pressed in
        it, or none."""
        if self._running is None:
            self._begin(now_ms, ear)
        if self._running is not None:
            for frame in self._running:
                return frame
            self._ended(now_ms)
        return 0.0, ""

    def _begin(self, now_ms: float, ear: Ear) -> None:
        cue = self._waiting.cue if self._waiting is not None else END
        due, in_vain = self._due(cue, now_ms, ear)
        if not due:
            return
        if self._waiting is None:
            self.done, self.in_vain = True, in_vain
            return
        act = Performed(len(self.performed), self._waiting, now_ms, now_ms, waited_in_vain=in_vain)
        self.performed.append(act)
        match self._waiting:
            case Speak():
                self._running = self._speak(act, self._waiting)
            case Sound():
                self._running = self._sound(act, self._waiting)
            case Press():
                self._running = self._press(self._waiting)

    def _due(self, cue: MyTurn | Into | After, now_ms: float, ear: Ear) -> tuple[bool, bool]:
        if isinstance(cue, After):
            return now_ms >= self._since_ms + cue.ms + self._late_ms, False
        heard_ms = ear.first_heard_ms(self._since_ms)
        if heard_ms is None:
            in_vain = now_ms - self._since_ms >= PATIENCE_MS
            return in_vain, in_vain
        if isinstance(cue, Into):
            return now_ms >= heard_ms + cue.ms + self._late_ms, False
        return now_ms >= ear.last_heard_ms + cue.quiet_ms + self._late_ms, False

    def _ended(self, now_ms: float) -> None:
        self.performed[-1].end_ms = self._since_ms = now_ms
        self._running = None
        self._waiting = next(self._acts, None)
        self._late_ms = self._spread()

    # -------------------------------------------------------------- acts, frame by frame

    def _speak(self, act: Performed, speak: Speak) -> Iterator[tuple[float, str]]:
        at_ms = act.start_ms + self._dice.uniform(0.0, FRAME_MS)
        keys: list[tuple[float, str]] = []
        for token in self._dice.choice(speak.said).split():
            if token[0] == "*":
                keys += ((at_ms + at * KEY_MS, key) for at, key in enumerate(token[1:]))
                continue
            if token[0] in "~^":
                pause_ms = float(token[1:]) * self._dice.uniform(0.85, 1.15)
                if token[0] == "~":
                    act.pauses.append((at_ms, at_ms + pause_ms))
                at_ms += pause_ms
                continue
            length_ms = (130.0 + 38.0 * len(token)) * self._variant.tempo
            act.words.append(SpokenWord(token, at_ms, at_ms + length_ms, act.number))
            at_ms += length_ms + self._dice.uniform(0.0, 40.0)
        said = iter(act.words)
        coming = next(said, None)
        now_ms = act.start_ms
        while now_ms < act.words[-1].end_ms or keys:
            while coming is not None and coming.start_ms < now_ms + FRAME_MS:
                self._track.words.append(coming)
                coming = next(said, None)
            key = keys.pop(0)[1] if keys and keys[0][0] <= now_ms else ""
            yield self._variant.level * _overlap(act.words, now_ms), key
            now_ms += FRAME_MS

    def _sound(self, act: Performed, sound: Sound) -> Iterator[tuple[float, str]]:
        length_ms = self._dice.uniform(*sound.ms)
        if sound.first_ms is not None and self._variant.number == 0:
            length_ms = sound.first_ms
        frames = max(1, round(length_ms / FRAME_MS))
        for voice in _likeness(sound.kind, frames, self._dice.random):
            yield voice, ""

    def _press(self, press: Press) -> Iterator[tuple[float, str]]:
        for key in press.keys:
            yield 0.0, key
            for _ in range(round(KEY_MS / FRAME_MS)):
                yield 0.0, ""


def _overlap(words: list[SpokenWord], from_ms: float) -> float:
    """How much of the frame from ``from_ms`` on is voiced; the gap between two words is."""
    to_ms = from_ms + FRAME_MS
    voiced = 0.0
    for index, word in enumerate(words):
        end_ms = word.end_ms
        if index + 1 < len(words) and words[index + 1].start_ms - end_ms < 60.0:
            end_ms = words[index + 1].start_ms
        voiced += max(0.0, min(to_ms, end_ms) - max(from_ms, word.start_ms))
    return min(1.0, voiced / FRAME_MS)


def _likeness(kind: Kind, frames: int, dice: Dice) -> Iterator[float]:
    """How much each frame of a sound without words seems to be a voice."""
    match kind:
        case Kind.COUGH:
            yield from (0.55 + 0.4 * dice() for _ in range(frames))
        case Kind.BANG:
            yield from (0.3 + 0.5 * dice() for _ in range(frames))
        case Kind.CLICK:
            yield from (0.4 + 0.6 * dice() for _ in range(frames))
        case Kind.NOISE:
            yield from (0.6 if dice() < 0.004 else 0.15 * dice() for _ in range(frames))
        case Kind.MUSIC:
            yield from _music(frames, dice)
        case Kind.SILENCE:
            yield from (0.0 for _ in range(frames))


def _music(frames: int, dice: Dice) -> Iterator[float]:
    """Mostly no voice; now and then a tune that the detector takes for one, up to half a second."""
    like = 0
    for _ in range(frames):
        if like == 0 and dice() < 0.012:
            like = round(3 + 22 * dice())
        yield 0.5 + 0.4 * dice() if like else 0.3 * dice()
        like = max(0, like - 1)
