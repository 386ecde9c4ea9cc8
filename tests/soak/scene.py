"""One seeded call: who says what when, over which line, and how it is to end. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from exobridge.simulator.flows.dice import Dice
from exobridge.simulator.flows.faults import Drawn, draw
from exobridge.simulator.flows.model import Flow
from exobridge.templates import Template
from exobridge_codecs.formats import AudioFormat, Encoding
from tests.soak.tones import BOTS, CALLERS, WORD_MS

FLOW = Flow.model_validate(
    {
        "flow": {"start": "bot"},
        "applet": {"bot": {"type": "voicebot", "url": "/exotel/answer"}},
    }
)
"""What faults are drawn for: a call that is a bot's alone."""

LAST_MS = 1500
"""After its last line a caller stays so long at least."""


@dataclass(frozen=True, slots=True)
class Line:
    """What the caller says; times in ms since the stream began."""

    at_ms: int
    words: tuple[str, ...]

    @property
    def end_ms(self) -> int:
        """The end of its last word."""
        return self.at_ms + len(self.words) * WORD_MS


@dataclass(frozen=True, slots=True)
class Scene:
    """A call.

    Attributes:
        drawn: What goes wrong.
        audio: Of the stream.
        lines: What the caller says.
        keys: What the caller presses, and when.
        hangs_up_ms: When the caller has had enough.
        ends: What the bot does after its last answer: ``stays``, ``hangs-up`` or ``transfers``.
        answers: What it says, turn by turn; the first is the greeting.
    """

    seed: int
    drawn: Drawn
    audio: AudioFormat
    lines: tuple[Line, ...]
    keys: tuple[tuple[int, str], ...]
    hangs_up_ms: int
    ends: str
    answers: tuple[str, ...]

    @property
    def template(self) -> Template:
        """The bot."""
        script: list[list[dict[str, Any]]] = [[{"text": text}] for text in self.answers[1:]]
        if self.ends == "hangs-up":
            script[-1].append({"reason": "bye"})
        elif self.ends == "transfers":
            script[-1].append({"target": "desk"})
        tables = {
            "greeting": self.answers[0],
            "turns": {"end_silence_ms": 300},
            "stt": {"provider": "tests.soak.tones:Ears"},
            "tts": {"provider": "tests.soak.tones:Voice"},
            "vad": {"provider": "exobridge_providers.testing.fakes:FakeVad"},
            "dialogue": {
                "provider": "exobridge_providers.testing.fakes:FakeDialogue",
                # What is said after the last answer gets none.
                "options": {"script": [*script, *[[]] * 20]},
            },
        }
        return Template.model_validate(tables)


def scene(seed: int) -> Scene:
    """The call of this seed."""
    drawn = draw(FLOW, seed)
    dice = Dice(seed * 2 + 1)  # another row of numbers than the faults'
    words = list(CALLERS)
    lines: list[Line] = []
    at_ms = dice.whole(200, 3000)
    for _ in range(dice.whole(1, 3)):
        count = dice.whole(1, 4)
        said, words = tuple(words[:count]), words[count:]
        lines.append(Line(at_ms, said))
        at_ms = lines[-1].end_ms + dice.whole(600, 4000)
    keys: list[tuple[int, str]] = []
    if dice.chance(0.3):
        for digit in dice.some("123456789*0#", dice.whole(1, 3)):
            keys.append((at_ms, digit))
            at_ms += 200
    told = list(BOTS)
    answers: list[str] = []
    for _ in range(len(lines) + 1):
        count = dice.whole(2, 4)
        answers.append(" ".join(told[:count]))
        told = told[count:]
    mulaw = dice.chance(0.3)
    rate = 8000 if mulaw else dice.pick((8000, 8000, 16000, 24000))
    return Scene(
        seed=seed,
        drawn=drawn,
        audio=AudioFormat(Encoding.MULAW if mulaw else Encoding.PCM16, rate),
        lines=tuple(lines),
        keys=tuple(keys),
        hangs_up_ms=at_ms + dice.whole(LAST_MS, 5000) if dice.chance(0.8) else at_ms - 400,
        ends=dice.pick(("stays", "stays", "hangs-up", "transfers")),
        answers=tuple(answers),
    )
