"""What a run came to: as text, as a page, and which limits it broke."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from tests.benchmarks.tables import Column, Line, markdown, plain
from tests.human_recordings.noises import MOST_TURNS, SECONDS, Listened
from tests.human_recordings.spoken import MOST_ERRORS, SETTINGS, Understood, total

WORDS = (
    Column("said", "words", ".0f"),
    Column("changed", "changed", ".0f"),
    Column("lost", "lost", ".0f"),
    Column("added", "added", ".0f"),
    Column("percent", "error %", ".1f"),
    Column("segments", "segments", ".0f"),
)
TURNS = (
    Column("turns", "turns", ".0f"),
    Column("segments", "segments", ".0f"),
    Column("voiced_seconds", "voiced s", ".1f"),
)

HEAD = """\
# Speech offline

How well the built-in recognisers understand callers, and what they make of a line on which nobody
speaks. This page is written by `make recordings`; none of it is typed by hand.

All audio goes the way of a call: μ-law at 8 kHz, the hearing, the voice detector, the turn policy,
which cuts it into segments, and the recogniser. Only the socket, the bot and the time that
recognition takes are left out.
"""

READING = f"""\
## How to read it
- The **recordings** are the prompts of the Asterisk project that have four words or more: one
  woman's voice, read clearly. What is said in each stands in
  [prompts.tsv](../../tests/human_recordings/prompts.tsv). Callers are not read: expect more errors.
- **Error** is the word error rate: words changed, lost and added, by the words said. Both texts are
  written in one way first: numbers as their digits, contractions as two words, and so on
  ([wording.py](../../tests/human_recordings/wording.py) has all of it). {MOST_ERRORS:.0%} may be
  wrong.
- **In noise**, every twelfth prompt is mixed with pink noise so many decibels below it, and given
  to the recogniser as it is, or after `audio.denoise = "webrtc"`.
- Where **nobody speaks** for {SECONDS:.0f} seconds no turn may come of noise and at most
  {MOST_TURNS["music"]} of music. A noise has -60, -45 and -30 dBFS, each for a third of the time.
  Segments are what the voice detector took for speech; the recogniser has the last word.
"""


@dataclass(slots=True)
class Found:
    """What one engine made of it.

    Attributes:
        understood: The prompts as they are.
        in_noise: The prompts of the sample, by a key of ``SETTINGS``.
        listened: The lines on which nobody speaks.
    """

    understood: list[Understood] = field(default_factory=list[Understood])
    in_noise: dict[str, list[Understood]] = field(default_factory=dict[str, list[Understood]])
    listened: list[Listened] = field(default_factory=list[Listened])


Results = Mapping[str, Found]
"""By engine."""

Write = Callable[[str, Sequence[Column], Sequence[Line]], str]


def plain_report(results: Results, *, differences: bool = False) -> str:
    """For a terminal; with every prompt that was understood otherwise, if they are wanted."""
    parts = list(_differences(results)) if differences else []
    return "\n\n".join([*parts, *_tables(results, plain), *_made_of_nothing(results)])


def page(results: Results) -> str:
    """For the documentation."""

    def section(title: str, columns: Sequence[Column], lines: Sequence[Line]) -> str:
        return f"## {title[0].upper()}{title[1:]}\n{markdown('', columns, lines)}\n"

    return "\n".join([HEAD, *_tables(results, section), READING])


def broken(results: Results) -> list[str]:
    """The limits that do not hold, in words."""
    found: list[str] = []
    for engine, each in results.items():
        rate = total(each.understood).rate
        if rate > MOST_ERRORS:
            found.append(f"{engine}: {rate:.1%} of the words are wrong, {MOST_ERRORS:.0%} may be")
        for line in each.listened:
            if len(line.turns) > MOST_TURNS[line.kind]:
                found.append(f"{engine}: {len(line.turns)} turns came of {line.name}")
    return found


def _tables(results: Results, write: Write) -> Iterator[str]:
    words = [(name, _words(each.understood)) for name, each in results.items() if each.understood]
    if words:
        yield write("recordings", WORDS, words)
    noisy = [
        (f"{name}, {SETTINGS[setting].says}", _words(understood))
        for name, each in results.items()
        for setting, understood in each.in_noise.items()
    ]
    if noisy:
        yield write("in noise", WORDS, noisy)
    for name, each in results.items():
        if each.listened:
            lines = [(line.name, _turns(line)) for line in each.listened]
            yield write(f"nobody speaks: {name}", TURNS, lines)


def _words(understood: Sequence[Understood]) -> dict[str, float]:
    errors = total(understood)
    segments = sum(each.segments for each in understood)
    return {**asdict(errors), "percent": 100 * errors.rate, "segments": segments}


def _turns(line: Listened) -> dict[str, float]:
    return {
        "turns": len(line.turns),
        "segments": line.segments,
        "voiced_seconds": line.voiced_seconds,
    }


def _differences(results: Results) -> Iterator[str]:
    for engine, found in results.items():
        for each in found.understood:
            if each.said != each.heard:
                yield f"{engine} {each.name}\n  said  {each.said}\n  heard {each.heard}"


def _made_of_nothing(results: Results) -> Iterator[str]:
    for engine, found in results.items():
        for line in found.listened:
            if line.turns:
                yield f"{engine} made of {line.name}: {line.turns}"
