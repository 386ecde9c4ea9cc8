"""Figures and verdicts from times."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exobridge.simulator import measure
from exobridge.simulator.ear import Utterance
from exobridge.simulator.measure import Clear
from exobridge.simulator.playout import Gap
from exobridge.simulator.report import CallReport, EndedBy, Outcome, Turn
from exobridge.simulator.rules import Rule
from exobridge.simulator.steps import CallerLine, LineKind
from exobridge.simulator.verdict import problems


def line(voiced_from: float, voiced_to: float, kind: LineKind = LineKind.SAY) -> CallerLine:
    """A line whose frames reach a little beyond its sound."""
    return CallerLine(kind, "x", voiced_from - 10, voiced_to + 10, voiced_from, voiced_to)


GREETING, FIRST, SECOND = Utterance(100, 900), Utterance(2500, 3000), Utterance(5200, 6000)


def test_voice_to_voice() -> None:
    """From the line's last sound to the answer's first; nothing for keys or overlap."""
    said = [line(1500, 2000), line(3500, 4000, LineKind.DTMF), line(4500, 5300)]
    assert measure.voice_to_voice(said, [GREETING, FIRST, SECOND]) == (500, None)


def test_what_comes_after_the_next_line_answers_that_one() -> None:
    """A line nothing was said to stays without an answer."""
    said = [line(1500, 2000), line(2200, 2400)]
    assert measure.answers(said, [GREETING, FIRST]) == (None, FIRST)
    assert measure.voice_to_voice(said, [GREETING, FIRST]) == (None, 100)


def test_barge_in_is_measured_on_audible_speech_alone() -> None:
    """From the caller's first sound to the bot's last; nothing if the bot was silent already."""
    into, after = line(500, 1200, LineKind.BARGE_IN), line(3100, 3300, LineKind.BARGE_IN)
    assert measure.barge_in([into, after], [GREETING, FIRST]) == (400,)


@pytest.mark.parametrize(
    ("clears", "spoke_at", "interrupted"),
    [
        ([], 500, False),
        ([Clear(880, 200)], 5000, True),
        ([Clear(1200, 0)], 500, True),
        ([Clear(1200, 0)], 1000, False),
        ([Clear(1600, 50)], 500, False),
    ],
)
def test_interrupted(clears: list[Clear], spoke_at: float, interrupted: bool) -> None:
    """Cut by a clear that dropped audio, or that followed the caller's voice in it."""
    bot = [
        turn
        for turn in measure.turns([line(spoke_at, spoke_at + 300)], [GREETING], [], clears)
        if turn.role == "bot"
    ]
    assert [turn.interrupted for turn in bot] == [interrupted]


def test_turns_stand_in_order_and_gaps_are_not_heard() -> None:
    """A gap inside an utterance counts against it."""
    made = measure.turns([line(1500, 2000)], [GREETING, FIRST], [Gap(500, 80), Gap(1000, 50)], [])
    assert [(turn.role, turn.heard_ms) for turn in made] == [
        ("bot", 720),
        ("caller", 500),
        ("bot", 500),
    ]


GOOD = CallReport(
    call_sid="C",
    stream_sid="S",
    encoding="pcm16",
    sample_rate=8000,
    frame_ms=20,
    outcome=Outcome.COMPLETED,
    ended_by=EndedBy.CALLER,
    turns=(Turn("bot", "Hi.", 0, 500, 500), Turn("caller", "x", 900, 1000, 100)),
)


def test_a_warning_does_not_spoil_a_call() -> None:
    """An error does."""
    warned = replace(GOOD, violation_counts=((Rule.LEAD_TOO_LONG, 3),))
    assert problems(warned, [], 0) == ()
    wrong = replace(GOOD, violation_counts=((Rule.NOT_JSON, 3),))
    assert len(problems(wrong, [], 0)) == 1


def test_hanging_up_answers_the_last_line_alone() -> None:
    """A bot that says goodbye by closing is no failure; one that leaves lines unsaid is."""
    left = replace(GOOD, ended_by=EndedBy.BOT)
    assert problems(left, [0], 0) == ()
    assert len(problems(left, [0], 1)) == 2
    assert len(problems(GOOD, [0], 0)) == 1


@pytest.mark.parametrize("outcome", [each for each in Outcome if each is not Outcome.COMPLETED])
def test_every_other_outcome_is_a_problem(outcome: Outcome) -> None:
    """And is named."""
    (problem,) = problems(replace(GOOD, outcome=outcome, close_code=1011), [], 0)
    assert "{" not in problem


def test_the_json_has_its_keys() -> None:
    """Those a reader may count on."""
    report = replace(GOOD, voice_to_voice_ms=(512.345, None), bot_gaps=(Gap(100.04, 20.26),))
    written = report.with_bot_texts(["Hello."]).to_json()
    assert written["turns"][0] == {
        "role": "bot",
        "text": "Hello.",
        "start_ms": 0,
        "end_ms": 500,
        "heard_ms": 500,
        "interrupted": False,
        "keys": False,
    }
    assert written["voice_to_voice_ms"] == [512.3, None]
    assert written["bot_gaps_ms"] == [20.3]
    assert written["outcome"] == "completed"
    assert written["went_well"] is True
    assert {
        "call_sid",
        "encoding",
        "sample_rate",
        "answer_ms",
        "greeting_ms",
        "barge_in_ms",
        "violations",
        "timeouts",
        "frames_sent",
        "frames_received",
        "recording",
    } <= written.keys()


def test_as_many_texts_as_turns() -> None:
    """A transcript cannot slip by one."""
    with pytest.raises(ValueError, match="1 turns of the bot, 2 texts"):
        GOOD.with_bot_texts(["a", "b"])
    with pytest.raises(ValueError, match="not kept"):
        GOOD.with_recording("never.wav")
