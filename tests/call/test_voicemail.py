"""Who answered: a human or a machine."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from exobridge.call.machine_words import says_machine
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
from exobridge_codecs.tones import dtmf, tone

RATE = 8000
WINDOW_MS = 20


@dataclass
class Answer:
    """Somebody who answered, at the other end of a line that carries what they do.

    Unrealistic in that the detector's windows are judged at once, and speech is silent.
    """

    options: VoicemailOptions = field(default_factory=VoicemailOptions)
    ms: float = 0.0
    events: list[tuple[float, Event]] = field(default_factory=list[tuple[float, Event]])

    def __post_init__(self) -> None:
        self.voicemail = Voicemail(self.options, RATE)

    def _hears(self, pcm: bytes, probability: float) -> Answer:
        frame_bytes = 2 * RATE * WINDOW_MS // 1000
        for at in range(0, len(pcm), frame_bytes):
            self.ms += WINDOW_MS
            found = self.voicemail.frame(pcm[at : at + frame_bytes])
            found += self.voicemail.voice(self.ms, probability)
            self.events += [(self.ms, event) for event in found]
        return self

    def speaks(self, milliseconds: int) -> Answer:
        return self._hears(bytes(2 * RATE * milliseconds // 1000), 0.9)

    def pauses(self, milliseconds: int) -> Answer:
        return self._hears(bytes(2 * RATE * milliseconds // 1000), 0.05)

    def sounds(self, pcm: bytes) -> Answer:
        return self._hears(pcm, 0.05)

    def says(self, text: str) -> Answer:
        self.events += [(self.ms, event) for event in self.voicemail.words(text)]
        return self

    @property
    def kinds(self) -> list[type[Event]]:
        return [type(event) for _, event in self.events]


BEEP = tone(1000, 500, RATE)


def test_a_human_says_hello_and_waits() -> None:
    """Known a second after the word."""
    answer = Answer().pauses(600).speaks(500).pauses(2000)
    assert answer.events == [(2100, Human())]


@pytest.mark.parametrize("words_ms", [160, 1500, 3900])
def test_a_short_greeting_is_a_humans(words_ms: int) -> None:
    """Up to the length that is set; pauses for breath do not part it."""
    answer = Answer().speaks(words_ms // 2 // 20 * 20).pauses(700).speaks(words_ms // 2 // 20 * 20)
    assert answer.pauses(1200).kinds == [Human]


def test_a_machine_talks_on() -> None:
    """Known while it does; its beep is the end of it."""
    answer = Answer().pauses(400).speaks(9000).pauses(600).sounds(BEEP).pauses(1000)
    (known_ms, machine), (beep_ms, beep) = answer.events
    assert machine == Machine(Why.MONOLOGUE)
    assert known_ms == pytest.approx(4400, abs=WINDOW_MS)
    assert isinstance(beep, Beep)
    assert beep.at_ms == pytest.approx(10_500, abs=60)
    assert beep_ms - beep.at_ms <= 300
    assert answer.voicemail.over


def test_how_long_a_human_talks_can_be_set() -> None:
    """An office answers with its name."""
    patient = VoicemailOptions(monologue_ms=6000)
    assert Answer(patient).speaks(5000).pauses(1200).kinds == [Human]
    assert Answer(patient).speaks(6100).kinds == [Machine]


def test_a_short_greeting_with_a_beep_is_a_machines() -> None:
    """The beep comes before the pause that would make it a human's."""
    answer = Answer().speaks(2000).pauses(700).sounds(BEEP).pauses(1000)
    assert answer.events[0][1] == Machine(Why.BEEP)
    assert answer.kinds == [Machine, Beep]


def test_a_beep_that_takes_long_to_tell_is_waited_for() -> None:
    """One at the pitch of the network's own tones needs more quiet behind it."""
    answer = Answer().speaks(2000).pauses(700).sounds(tone(440, 500, RATE)).pauses(2000)
    assert answer.kinds == [Machine, Beep]


@pytest.mark.parametrize("sound", [BEEP, dtmf("15", RATE), tone(400, 750, RATE)])
def test_without_a_greeting_a_tone_is_nothing(sound: bytes) -> None:
    """Some lines beep as they connect."""
    answer = Answer().pauses(300).sounds(sound).pauses(1500).speaks(600).pauses(1200)
    assert answer.kinds == [Human]


def test_a_human_who_presses_a_key_stays_one() -> None:
    """Keys are no beeps, and once a human is known no beep counts."""
    answer = Answer().speaks(600).pauses(1200).sounds(dtmf("1", RATE)).pauses(500)
    answer.sounds(BEEP).pauses(1000)
    assert answer.kinds == [Human]


def test_who_begins_late_answers_something() -> None:
    """A human may speak long once the bot has asked; nothing is decided, but a beep decides."""
    answer = Answer().pauses(3500).speaks(6000).pauses(1200)
    assert answer.kinds == []
    assert answer.sounds(BEEP).pauses(1000).kinds == [Machine, Beep]


def test_a_noise_is_no_word() -> None:
    """Less voice than a word has."""
    assert Answer().speaks(100).pauses(3000).kinds == []


def test_a_noise_is_not_the_beginning_of_a_greeting() -> None:
    """What is longer than a human's sentence only together with it, is one."""
    assert Answer().speaks(100).pauses(1200).speaks(3960).pauses(1200).kinds == [Human]


@pytest.mark.parametrize("before", [0, 1])
def test_words_tell_a_machine_whatever_was_thought_before(before: int) -> None:
    """A greeting may begin with a pause behind its first word; said twice it is known once."""
    answer = Answer().speaks(600).pauses(1200 * before)
    answer.says("Hello").says("Please leave your message after the tone.").says("after the tone")
    assert answer.kinds == [Human] * before + [Machine]
    assert answer.events[-1][1] == Machine(Why.WORDS)
    assert answer.pauses(200).sounds(BEEP).pauses(1000).kinds[-1] is Beep


def test_a_machine_without_a_beep_is_left_its_silence() -> None:
    """After four seconds nothing more is awaited."""
    answer = Answer().speaks(6000).pauses(6000)
    assert answer.kinds == [Machine, NoBeep]
    assert answer.events[-1][0] == pytest.approx(10_000, abs=2 * WINDOW_MS)


def test_a_machine_that_never_stops_is_not_awaited_for_ever() -> None:
    """A menu, or music."""
    answer = Answer().speaks(60_000)
    assert answer.kinds == [Machine, NoBeep]
    assert answer.events[-1][0] == pytest.approx(34_000, abs=2 * WINDOW_MS)


def test_after_the_watch_nothing_is_a_machine_any_more() -> None:
    """It costs nothing for the rest of the call."""
    answer = Answer().pauses(40_000)
    assert answer.voicemail.over
    assert answer.speaks(9000).sounds(BEEP).pauses(1000).says("after the tone").kinds == []


def test_windows_that_the_detector_skipped_are_not_counted_as_voice() -> None:
    """It fell behind; what it did not judge was not heard."""
    voicemail = Voicemail(VoicemailOptions(), RATE)
    assert voicemail.voice(2000, 0.9) == []
    assert voicemail.voice(2900, 0.9) == voicemail.voice(4100, 0.9) == []


@pytest.mark.parametrize(
    "text",
    [
        "Please leave your message AFTER THE TONE!",
        "your call has been forwarded to voice-mail. At the tone",
        "The person you are calling is busy",
        "For sales, press 1.",
        "आपके द्वारा डायल किया गया नंबर व्यस्त है।",
        "कृपया बीप के बाद अपना संदेश छोड़ें।",
        "beep ke baad apna sandesh chhode",
    ],
)
def test_machines_say_what_machines_say(text: str) -> None:
    """Operators' announcements, greetings and menus; case and punctuation do not count."""
    assert says_machine(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello?",
        "I got your voicemail",
        "he is out, would you like to leave a message",
        "the tone of it",
        "express one",
        "press 15",
        "हाँ, कौन बोल रहा है?",
        "haan ji boliye",
    ],
)
def test_humans_do_not(text: str) -> None:
    """Words that only remind of a machine are no phrase of one."""
    assert not says_machine(text)
