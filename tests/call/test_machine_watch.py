"""What is done when a machine answers."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
import structlog

from exobridge.call.events import EndedBy
from exobridge.call.hearing import Hearing
from exobridge.call.machine_watch import MachineWatch, is_watched
from exobridge.call.plan import CallPlan
from exobridge.templates.models import Template
from exobridge_codecs.formats import pcm16
from exobridge_codecs.tones import tone
from exobridge_providers.base import Final, Partial, SpeechStarted, SttEvent

RATE = 8000
MESSAGE = "Please call us back."


@dataclass
class Talker:
    """A conversation that only notes what it is told. Unrealistic: it never answers."""

    heard: list[object] = field(default_factory=list[object])
    told: list[object] = field(default_factory=list[object])

    def voice(self, end_ms: float, probability: float) -> None:
        self.heard.append((end_ms, probability))

    def take(self, event: SttEvent) -> None:
        self.heard.append(event)

    def fall_silent(self) -> None:
        self.told.append("silence")

    def close_with(self, text: str, by: EndedBy, reason: str) -> None:
        self.told.append((text, by, reason))


def plan(direction: str = "outgoing", /, **voicemail: object) -> CallPlan:
    template = Template.model_validate({"voicemail": {"action": "hang_up", **voicemail}})
    return CallPlan("C1", "default", template, direction=direction)


@dataclass
class Call:
    """A line with a watch on it."""

    plan: CallPlan
    talker: Talker = field(default_factory=Talker)
    ms: float = 0.0

    def __post_init__(self) -> None:
        self.hearing = Hearing()
        self.hearing.set_format(pcm16(RATE))
        log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger()
        self.watch = MachineWatch(self.plan, self.hearing, RATE, self.talker, log)

    def hears(self, pcm: bytes, probability: float = 0.05) -> Call:
        for at in range(0, len(pcm), 320):
            self.ms += 20
            self.hearing.push(pcm[at : at + 320])
            self.watch.voice(self.ms, probability)
        return self

    def speech(self, milliseconds: int) -> Call:
        return self.hears(silence(milliseconds), 0.9)


def silence(milliseconds: int) -> bytes:
    return bytes(2 * RATE * milliseconds // 1000)


def message(**voicemail: object) -> Call:
    return Call(plan(action="message", message=MESSAGE, **voicemail))


BEEP = tone(1000, 500, RATE)
HUNG_UP = ("", EndedBy.BOT, "voicemail")
LEFT = (MESSAGE, EndedBy.BOT, "voicemail")


def test_a_machine_is_hung_up_on() -> None:
    """As soon as it is known."""
    call = Call(plan()).speech(4000)
    assert call.talker.told == []
    assert call.speech(100).talker.told == ["silence", HUNG_UP]


def test_a_machine_hears_the_message_after_its_beep() -> None:
    """Until then the bot is silent."""
    call = message().speech(6000).hears(silence(500))
    assert call.talker.told == ["silence"]
    assert call.hears(BEEP + silence(400)).talker.told == ["silence", LEFT]


def test_a_machine_without_a_beep_hears_the_message_too() -> None:
    """Once it has been silent for some time, or after the wait that is set."""
    assert message().speech(6000).hears(silence(5000)).talker.told == ["silence", LEFT]
    assert message(beep_seconds=5).speech(8900).talker.told == ["silence"]
    assert message(beep_seconds=5).speech(9200).talker.told == ["silence", LEFT]


def test_a_human_is_talked_to() -> None:
    """The conversation hears everything, and is left alone."""
    call = message().speech(600).hears(silence(1500)).speech(8000).hears(BEEP + silence(500))
    assert call.talker.told == []
    assert len(call.talker.heard) == call.ms / 20


@pytest.mark.parametrize("event", [Partial("after the tone"), Final("After the tone!")])
def test_words_give_a_machine_away(event: SttEvent) -> None:
    """Before the conversation can make a turn of them."""
    call = Call(plan())
    call.watch.take(SpeechStarted())
    call.watch.take(event)
    assert call.talker.told == ["silence", HUNG_UP]
    assert call.talker.heard == [SpeechStarted(), event]


def test_the_longest_sentence_of_a_human_can_be_set() -> None:
    """An office answers with a long one."""
    assert Call(plan(monologue_ms=6000)).speech(5900).talker.told == []
    assert Call(plan(monologue_ms=2000)).speech(2100).talker.told == ["silence", HUNG_UP]


def test_what_counts_as_voice_is_the_templates() -> None:
    """As for turns."""
    template = Template.model_validate(
        {"voicemail": {"action": "hang_up"}, "vad": {"start_probability": 0.95}}
    )
    call = Call(CallPlan("C1", "default", template, direction="outgoing"))
    assert call.speech(9000).talker.told == []


@pytest.mark.parametrize(
    ("direction", "action", "watched"),
    [("outgoing", "hang_up", True), ("outgoing", "ignore", False), ("incoming", "hang_up", False)],
)
def test_only_calls_that_we_placed_are_watched(direction: str, action: str, watched: bool) -> None:
    """And only where the template says so; whoever calls us is no machine that records."""
    assert is_watched(plan(direction, action=action)) is watched
