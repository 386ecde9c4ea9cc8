"""Lines and providers that are worse than they should be: callers who murmur, and who interrupt."""

from __future__ import annotations

from dataclasses import replace

from tests.conversations.acts import After, Into, Kind, Sound, interrupt, murmur, say
from tests.conversations.catalogue.interruptions import QUESTION, WANTS
from tests.conversations.scenario import Ears, Faults, Group, Scenario, grouped

MURMURS = Scenario(
    "",
    "",
    (QUESTION, murmur("haan", "accha", "theek hai", "hmm", cue=Into(1500))),
    language="hi-IN",
    turns=1,
)
INTERRUPTS = Scenario("", "", (QUESTION, interrupt(*WANTS, cue=Into(1800))), turns=2)


def _both(name: str, says: str, faults: Faults) -> tuple[Scenario, Scenario]:
    """The fault under a backchannel and under an interruption."""
    return (
        replace(MURMURS, name=f"{name}-murmur", says=f"{says}, a backchannel", faults=faults),
        replace(INTERRUPTS, name=f"{name}-stop", says=f"{says}, an interruption", faults=faults),
    )


def _with_partials(scenario: Scenario) -> Scenario:
    """Ears that tell some words in time: without any, nobody could tell a backchannel."""
    return replace(scenario, ears=(Ears.SEGMENTS, Ears.STREAMING, Ears.TURNS))


SCENARIOS = grouped(
    Group.FAULTS,
    *_both("marks-lost", "no mark comes back", Faults(marks_lost=1.0)),
    *_both("marks-late", "marks come late", Faults(marks_late_ms=1500)),
    *_both("frames-lost", "one frame in 25 is lost", Faults(loss=0.04)),
    *_both("jitter", "frames held up by up to 150 ms", Faults(jitter_ms=150)),
    *_both("bursts", "nothing for 400 ms, then all at once", Faults(burst_ms=400)),
    *_both("wrong-partials", "four partials in ten end wrongly", Faults(wrong_partials=0.4)),
    *_both("slow-voice", "audio is made hardly faster than played", Faults(slow_voice=True)),
    *map(
        _with_partials,
        _both("late-finals", "final texts take up to two seconds", Faults(final_ms=(800, 2000))),
    ),
    Scenario(
        "small-frames", "frames of 20 ms, an interruption", INTERRUPTS.acts, frame_ms=(20,), turns=2
    ),
    Scenario(
        "large-frames",
        "frames of 200 ms, an interruption",
        INTERRUPTS.acts,
        frame_ms=(200,),
        turns=2,
    ),
    Scenario(
        "final-missing",
        "a final text never comes: the bot says sorry, and ends the call",
        (QUESTION,),
        faults=Faults(finals_missing=frozenset({0})),
        ears=(Ears.SEGMENTS, Ears.BLIND),
        ends="stt failed",
        words=False,
    ),
    Scenario(
        "slow-dialogue",
        "the dialogue takes seconds",
        (QUESTION, say("where is my parcel")),
        faults=Faults(dialogue_ms=(2000, 5000)),
        turns=2,
    ),
    Scenario(
        "slow-dialogue-filled",
        "the dialogue takes seconds: the bot asks for a moment, and the caller grants it",
        (
            say("where is my parcel"),
            murmur("okay", "yes", "haan", cue=Into(800)),
            Sound(Kind.SILENCE, (5000, 5000), After(0.0)),
        ),
        faults=Faults(dialogue_ms=(3000, 5000)),
        template={"limits": {"filler_ms": 1500}},
        hears=("One moment, please.",),
        turns=1,
    ),
    Scenario(
        "slow-dialogue-hurried",
        "the dialogue takes seconds, and the caller goes on meanwhile",
        (say("where is my parcel ^1500 i ordered it last week"),),
        faults=Faults(dialogue_ms=(2500, 5000)),
        turns=1,
    ),
)
