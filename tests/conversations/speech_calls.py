"""Callers on real speech: what they say and do, and what shall come of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exobridge.simulator import BargeIn, Clip, PlayWav, Say, Step
from exobridge_codecs.wav import read_wav

SOUNDS = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
"""Recorded prompts of a human (Debian's ``asterisk-core-sounds-en-wav``, CC-BY-SA-3.0)."""

MUSIC = Path("/usr/share/asterisk/moh")
"""Hold music (Debian's ``asterisk-moh-opsound-wav``)."""

FIVE_MINUTES_MS = 300_000
RATE = 8000

Speak = Callable[[str], Awaitable[Clip]]
"""Makes a line of the caller's."""

Script = Callable[[Speak], Awaitable[Sequence[Step]]]
"""Makes what the caller does."""

PROMPTS = {
    "agent-pass": "please enter your password followed by the pound key",
    "all-circuits-busy-now": "all circuits are busy now",
    "auth-incorrect": "password incorrect please enter your password followed by the pound key",
    "conf-invalid": "that is not a valid conference number please try again",
    "conf-onlyperson": "you are currently the only person in this conference",
    "conf-waitforleader": "the conference will begin when the leader arrives",
    "invalid": "i'm sorry that's not a valid extension please try again",
    "privacy-unident": "the party you are trying to reach does not accept unidentified calls",
    "queue-thankyou": "thank you for your patience",
    "queue-youarenext": (
        "your call is now first in line and will be answered by the next available representative"
    ),
    "ss-noservice": (
        "the number you have dialed is not in service please check the number and try again"
    ),
    "tt-weasels": "weasels have eaten our phone system",
}
"""Prompts by file, and their words, written down by ear."""


@dataclass(frozen=True, slots=True)
class SpokenCall:
    """One call in real time.

    Attributes:
        script: Makes what the caller does.
        answers: How many times the bot may answer; empty: any.
        interrupted: How many of the bot's turns shall be cut short; ``None``: any.
        words: Each shall be in what was understood, in this order.
        reference: All that is said, where it is compared word for word.
    """

    name: str
    says: str
    script: Script
    answers: tuple[int, ...] = ()
    interrupted: int | None = 0
    words: tuple[str, ...] = ()
    reference: str = ""


def _lines(*lines: str | tuple[str, float], stops: bool = True) -> Script:
    """Lines to say: a text alone once the bot has finished, one with a number so many ms into its
    next utterance, which it shall stop or not."""

    async def script(speak: Speak) -> Sequence[Step]:
        steps: list[Step] = []
        for line in lines:
            if isinstance(line, str):
                steps.append(Say(await speak(line)))
            else:
                steps.append(BargeIn(await speak(line[0]), line[1], interrupts=stops))
        return steps

    return script


def _sound_into(pcm: bytes, after_ms: float) -> Script:
    """A question, and a sound into its answer."""

    async def script(speak: Speak) -> Sequence[Step]:
        return [Say(await speak(QUESTION)), BargeIn(Clip(pcm, RATE), after_ms, interrupts=False)]

    return script


def _sound_alone(pcm: bytes) -> Script:
    async def script(_: Speak) -> Sequence[Step]:
        return [PlayWav(Clip(pcm, RATE))]

    return script


def _in_parts(first: str, pause_ms: int, second: str) -> Script:
    """Two halves of a sentence with a pause between them."""

    async def script(speak: Speak) -> Sequence[Step]:
        one, two = await speak(first), await speak(second)
        silence = bytes(2 * one.sample_rate * pause_ms // 1000)
        return [Say(Clip(one.pcm + silence + two.pcm, one.sample_rate, f"{first} {second}"))]

    return script


async def _prompts(_: Speak) -> Sequence[Step]:
    clips: list[Step] = []
    for name, text in PROMPTS.items():
        wav = read_wav(SOUNDS / f"{name}.wav")
        clips.append(Say(Clip(wav.mono(), wav.sample_rate, text)))
    return clips


def _noise(ms: int, dbfs: float) -> bytes:
    samples = np.random.default_rng(7).standard_normal(RATE * ms // 1000)
    return _pcm(samples * 32768 * 10 ** (dbfs / 20))


def _cough() -> bytes:
    """A burst of low noise that dies away."""
    count = RATE * 260 // 1000
    noise = np.convolve(np.random.default_rng(3).standard_normal(count), np.ones(6) / 6, "same")
    return _pcm(noise * 12_000 * np.exp(-np.arange(count) / (0.09 * RATE)))


def _pcm(samples: NDArray[np.float64]) -> bytes:
    return np.clip(samples, -32768, 32767).astype("<i2").tobytes()


def _music(ms: int) -> bytes:
    """Hold music, over and over; a tune of sines where none is installed."""
    files = sorted(MUSIC.glob("*.wav"))
    if not files:
        time = np.arange(RATE * ms // 1000) / RATE
        notes = 220 * 2 ** (np.floor(time * 3) * 5 % 12 / 12)
        return _pcm(6000 * np.sin(2 * np.pi * np.cumsum(notes) / RATE))
    pcm = b"".join(read_wav(file).mono() for file in files)
    size = 2 * RATE * ms // 1000
    return (pcm * (size // len(pcm) + 1))[:size]


QUESTION = "What are your opening hours?"

CALLS = (
    SpokenCall(
        "questions",
        "three questions",
        _lines(QUESTION, "Where is my parcel?", "How much is the gift box?"),
        answers=(3,),
        words=("opening hours", "parcel", "gift box"),
    ),
    SpokenCall(
        "interrupts",
        "a sentence into an answer",
        _lines(QUESTION, ("No, sorry, where is my parcel?", 2000)),
        answers=(2,),
        interrupted=1,
        words=("opening hours", "parcel"),
    ),
    SpokenCall(
        "interrupts-at-once",
        "a sentence as the answer begins",
        _lines(QUESTION, ("Sorry, I mean the gift box, how much is it?", 400)),
        answers=(2,),
        interrupted=1,
        words=("gift box",),
    ),
    SpokenCall(
        "interrupts-twice",
        "two answers in a row",
        _lines(QUESTION, ("No, where is my parcel?", 2500), ("How much is the gift box?", 2500)),
        answers=(3,),
        interrupted=2,
        words=("parcel", "gift box"),
    ),
    SpokenCall(
        "says-stop",
        "two words that mean it",
        _lines(QUESTION, ("Stop, please.", 2500)),
        answers=(2,),
        interrupted=1,
        words=("stop",),
    ),
    SpokenCall(
        "yes-but",
        "begins like a backchannel",
        _lines(QUESTION, ("Okay, but where is my parcel?", 2500)),
        answers=(2,),
        interrupted=1,
        words=("parcel",),
    ),
    SpokenCall(
        "okay", "a backchannel", _lines(QUESTION, ("Okay.", 2500), stops=False), answers=(1,)
    ),
    SpokenCall(
        "right",
        "a backchannel",
        _lines(QUESTION, ("Yeah, right.", 2500), stops=False),
        answers=(1,),
    ),
    SpokenCall(
        "i-see", "a backchannel", _lines(QUESTION, ("I see.", 2000), stops=False), answers=(1,)
    ),
    SpokenCall("cough", "a cough into an answer", _sound_into(_cough(), 2500), answers=(1,)),
    SpokenCall("noise", "noise into an answer", _sound_into(_noise(300, -22), 2500), answers=(1,)),
    SpokenCall("radio", "music behind an answer", _sound_into(_music(4000), 1500)),
    SpokenCall(
        "number-in-parts",
        "a number with a pause",
        _in_parts("My order number is four seven", 500, "one one."),
        answers=(1,),
    ),
    SpokenCall(
        "human",
        "recorded prompts of a human, understood word for word",
        _prompts,
        interrupted=None,
        reference=" ".join(PROMPTS.values()),
    ),
)

LONG_CALLS = (
    SpokenCall("silence", "five minutes", _sound_alone(bytes(2 * RATE * 300)), answers=(0,)),
    SpokenCall(
        "line-noise", "five minutes", _sound_alone(_noise(FIVE_MINUTES_MS, -50)), answers=(0,)
    ),
    SpokenCall("hold-music", "five minutes", _sound_alone(_music(FIVE_MINUTES_MS)), answers=(0, 1)),
)
"""Held at the same time: nothing in them is timed."""
