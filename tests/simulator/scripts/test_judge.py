"""What was heard is held against what a script expects; without a call."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from typing import Any

import pytest

from exobridge.simulator import CallReport, Clip, EndedBy, Outcome, Rule, Turn
from exobridge.simulator.playout import Gap
from exobridge.simulator.scripts.compile import compile_steps, plan_of
from exobridge.simulator.scripts.judge import Finding, judge
from exobridge.simulator.scripts.model import CallTable, Script
from exobridge.simulator.scripts.vary import Variation
from exobridge.simulator.steps import BotDone, Dtmf, Hear, Say
from exobridge_codecs.pcm import peak_dbfs
from exobridge_codecs.tones import tone

CLIP = Clip(bytes(1600), 8000)


def bot(start_ms: float, end_ms: float, text: str = "") -> Turn:
    """Something that the bot said."""
    return Turn("bot", text, start_ms, end_ms, end_ms - start_ms)


def caller(start_ms: float, end_ms: float) -> Turn:
    """Something that the caller said."""
    return Turn("caller", "", start_ms, end_ms, end_ms - start_ms)


def findings(
    text: str,
    turns: Sequence[Turn],
    began: Sequence[float | None],
    keys: Sequence[tuple[float, str]] = (),
    **changes: Any,
) -> list[Finding]:
    """What is found in a call of these turns, whose file's steps began at these times."""
    script = Script.model_validate(tomllib.loads(text))
    compiled = compile_steps(script, dict.fromkeys(range(len(script.step)), CLIP), Variation())
    steps_ms: list[float | None] = [None] * len(compiled.steps)
    for act, at in zip(compiled.acts, began, strict=True):
        steps_ms[act] = at
    values: dict[str, Any] = {
        "outcome": Outcome.COMPLETED,
        "ended_by": EndedBy.CALLER,
        "duration_ms": 10_000,
        "turns": tuple(turns),
        "steps_ms": tuple(steps_ms),
    }
    report = CallReport("c", "s", "pcm16", 8000, 20, **(values | changes))
    return list(judge(script, compiled, report, keys))


def told(found: Sequence[Finding]) -> list[tuple[bool, str]]:
    """Whether each held, and what was found."""
    return [(finding.held, finding.found) for finding in found]


LISTEN = "[[step]]\nexpect = {{ {} }}"
SAY = "[[step]]\nexpect = {{ says = 'hello' }}\n[[step]]\nsay = 'x'\nexpect = {{ {} }}"
TALK = "[[step]]\nsay = 'x'\nafter_ms = 1\nexpect = {{ {} }}"


def test_words_belong_to_the_step_after_which_they_were_said() -> None:
    """What was said before it, or after the next one, does not count."""
    turns = [bot(0, 900, "Hello."), caller(2000, 3000), bot(3500, 4000, "We are open.")]
    found = findings(
        SAY.format("says = 'open', not_says = ['hello', '/clos(ed|ing)/']"), turns, [0, 2000]
    )
    assert told(found) == [
        (True, '"Hello."'),
        *[(True, '"We are open."')] * 3,
    ]
    found = findings(SAY.format("says = '/^we .* shut/'"), turns, [0, 2000])
    assert found[1] == Finding(2, "says", "/^we .* shut/", False, '"We are open."')


def test_several_turns_of_the_bot_are_read_together() -> None:
    """A pause in an answer does not matter."""
    turns = [bot(0, 900, "Hello."), bot(1600, 1900, "Good"), bot(2600, 3000, "morning.")]
    assert findings(LISTEN.format("says = 'good morning'"), turns, [0])[0].held


def test_a_bot_that_says_nothing_says_no_word() -> None:
    """Words are missing, unwanted ones are absent."""
    found = findings(LISTEN.format("says = 'x', not_says = 'x'"), [], [0])
    assert told(found) == [(False, "nothing was heard"), (True, "nothing was heard")]


@pytest.mark.parametrize(
    ("turns", "held", "found"),
    [
        ([caller(2000, 3000), bot(3500, 4000)], True, "500 ms"),
        ([caller(2000, 3000), bot(3501, 4000)], False, "501 ms"),
        ([caller(2000, 3000), bot(2100, 2200), bot(3400, 4000)], True, "400 ms"),
        (
            [caller(2000, 3000), bot(2900, 4000)],
            False,
            "the bot began before the caller had finished",
        ),
        ([caller(2000, 3000)], False, "nothing was heard"),
    ],
)
def test_an_answer_is_timed_from_the_callers_last_sound(
    turns: list[Turn], held: bool, found: str
) -> None:
    """To the bot's first one that outlasts the caller."""
    turns = [bot(0, 900, "hello"), *turns]
    assert told(findings(SAY.format("within_ms = 500"), turns, [0, 2000]))[1] == (held, found)


def test_a_greeting_is_timed_from_the_calls_beginning() -> None:
    """And what a later step listens for, from the bot's last sound before."""
    two = LISTEN.format("within_ms = 300") + "\n" + LISTEN.format("within_ms = 5000")
    found = findings(two, [bot(250, 900), bot(4000, 5000)], [0, 1600])
    assert told(found) == [(True, "250 ms"), (True, "3100 ms")]


@pytest.mark.parametrize(
    ("turns", "held", "found"),
    [
        ([bot(0, 2600), caller(2000, 3000)], True, "600 ms"),
        ([bot(0, 2601), caller(2000, 3000)], False, "601 ms"),
        ([bot(0, 1900), caller(2000, 3000)], False, "the bot was not talking"),
    ],
)
def test_an_interrupted_bot_is_timed_from_the_callers_first_sound(
    turns: list[Turn], held: bool, found: str
) -> None:
    """To the bot's last."""
    assert told(findings(TALK.format("silent_within_ms = 600"), turns, [2000])) == [(held, found)]


@pytest.mark.parametrize(
    ("turns", "changes", "held", "found"),
    [
        ([bot(0, 900), caller(2000, 3000)], {}, True, "silence"),
        ([bot(0, 900), caller(2000, 3000), bot(5001, 6000)], {}, True, "silence"),
        (
            [bot(0, 900), caller(2000, 3000), bot(4500, 6000, "Hm.")],
            {},
            False,
            'after 1500 ms: "Hm."',
        ),
        ([bot(0, 3100, "Well"), caller(2000, 3000)], {}, False, 'after 0 ms: "Well"'),
        (
            [bot(0, 900), caller(2000, 3000)],
            {"duration_ms": 4000},
            False,
            "the call had ended after 1000 ms",
        ),
    ],
)
def test_a_silent_bot_is_not_heard_for_so_long(
    turns: list[Turn], changes: dict[str, Any], held: bool, found: str
) -> None:
    """From the caller's last sound on."""
    text = TALK.format("silent_for_ms = 2000")
    assert told(findings(text, turns, [2000], **changes)) == [(held, found)]


@pytest.mark.parametrize(
    ("turns", "clears", "held", "found"),
    [
        ([bot(0, 5000), caller(2000, 2500)], [], True, "the bot went on"),
        ([bot(0, 2300), caller(2000, 2500), bot(2900, 5000)], [], True, "the bot went on"),
        (
            [bot(0, 2300), caller(2000, 2500), bot(4600, 5000)],
            [],
            False,
            "the bot stopped, and was not heard for 2000 ms",
        ),
        (
            [bot(0, 2300), caller(2000, 2500), bot(2900, 5000)],
            [2400],
            False,
            "the bot was interrupted after 400 ms",
        ),
        ([bot(0, 5000), caller(2000, 2500)], [1000], True, "the bot went on"),
        ([bot(0, 1900), caller(2000, 2500)], [], False, "the bot was not talking"),
    ],
)
def test_a_bot_that_goes_on_is_not_interrupted(
    turns: list[Turn], clears: list[float], held: bool, found: str
) -> None:
    """Nothing is cleared, and it is heard again."""
    text = TALK.format("goes_on = true")
    assert told(findings(text, turns, [2000], clears_at_ms=tuple(clears))) == [(held, found)]


def test_the_words_of_a_bot_that_goes_on_are_its_whole_turn() -> None:
    """What it said before it was spoken into, and what it said on."""
    turns = [bot(0, 2300, "We are"), caller(2000, 2500), bot(2900, 5000, "open.")]
    assert findings(TALK.format("goes_on = true, says = 'we are open'"), turns, [2000])[0].held
    assert findings(TALK.format("says = 'we are open'"), turns, [2000])[0].held is False


def test_keys_belong_to_their_step() -> None:
    """All of them, and no other."""
    turns = [bot(0, 900, "hello"), caller(2000, 3000)]
    sent = [(500, "9"), (3500, "4"), (3700, "1")]
    text = SAY.format("sends_keys = '41'")
    assert told(findings(text, turns, [0, 2000], sent))[1] == (True, "41")
    assert told(findings(text, turns, [0, 2000], sent[:2]))[1] == (False, "4")
    assert told(findings(text, turns, [0, 2000]))[1] == (False, "no keys")


def test_a_step_that_was_not_reached_has_failed() -> None:
    """Also where it expects the absence of something."""
    found = findings(SAY.format("not_says = 'x', within_ms = 9"), [bot(0, 9, "hello")], [0, None])
    assert told(found)[1:] == [(False, "the call had ended")] * 2


def test_the_whole_call_is_judged() -> None:
    """Who ended it, its words, its slowest answer, its gaps, its violations."""
    text = "[[step]]\nsay = 'x'\n[expect]\nends = 'bot'\nsays = 'hello we'\nnot_says = 'open'\n"
    text += "within_ms = 500\nmax_gaps = 1\nviolations = 2"
    turns = [bot(0, 900, "Hello."), caller(2000, 3000), bot(3500, 4000, "We are open.")]
    found = findings(
        text,
        turns,
        [2000],
        ended_by=EndedBy.NETWORK,
        voice_to_voice_ms=(None, 500.4, 300),
        bot_gaps=(Gap(1, 2), Gap(3, 4)),
        violation_counts=((Rule.NOT_JSON, 2), (Rule.ANSWER_LATE, 1)),
    )
    assert [(each.key, each.held, each.found) for each in found] == [
        ("ends", False, "network"),
        ("says", True, '"Hello. We are open."'),
        ("not_says", False, '"Hello. We are open."'),
        ("within_ms", False, "500 ms at most"),
        ("max_gaps", False, "2"),
        ("violations", False, "3"),
    ]
    found = findings("[[step]]\nsay = 'x'\n[expect]\nwithin_ms = 1", [], [None])
    assert told(found) == [(False, "nothing was answered")]


def test_the_steps_of_a_file_are_found_among_those_of_the_caller() -> None:
    """Whatever else the caller has to do for them."""
    text = "[[step]]\nexpect.says = 'x'\n[[step]]\nexpect.says = 'x'\n[[step]]\nwait_seconds = 1\n"
    text += "[[step]]\npress = '1'\nafter_words = 'x'\n[[step]]\nsay = 'x'\n[expect]\nends = 'bot'"
    script = Script.model_validate(tomllib.loads(text))
    compiled = compile_steps(script, {4: CLIP}, Variation())
    steps = [compiled.steps[act] for act in compiled.acts]
    assert (steps[0], steps[1]) == (BotDone(), BotDone(anew=True))
    assert (steps[3], steps[4]) == (Dtmf("1"), Say(CLIP))
    assert [compiled.line_number(index) for index in range(5)] == [None, None, None, 0, 1]


def test_a_seed_makes_the_same_caller_twice() -> None:
    """And another one of another seed; never louder than the script's."""
    drawn = [Variation.drawn(seed) for seed in range(50)]
    assert drawn[7] == Variation.drawn(7)
    assert len(set(drawn)) == 50
    assert all(0.75 <= each.pace <= 2 and -12 <= each.gain_db <= 0 for each in drawn)
    slow = plan_of(CallTable(bot_done_ms=600), (), Variation(pace=1.5))
    assert slow.patience.bot_done_ms == 900
    into = Script.model_validate(tomllib.loads("[[step]]\npress = '1'\nafter_ms = 200"))
    for into_ms, after_ms in ((50.0, 250.0), (-300.0, 0.0)):
        assert Hear(after_ms) in compile_steps(into, {}, Variation(into_ms=into_ms)).steps
    loud = Clip(tone(300, 100, 8000), 8000, "x")
    assert Variation().of(loud) is loud
    assert peak_dbfs(Variation(gain_db=-6).of(loud).pcm) == pytest.approx(-12, abs=0.1)
