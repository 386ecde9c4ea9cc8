"""The set of scripted callers: a sample of it, and that its judge sees what is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from exobridge.languages import codes, language
from tests.conversations import page, speech
from tests.conversations.__main__ import main, status
from tests.conversations.catalogue import SCENARIOS
from tests.conversations.catalogue.backchannels import LISTS, NO_LIST
from tests.conversations.figures import LIMITS, Limit, kept
from tests.conversations.judge import judge
from tests.conversations.numbered import Run, Take, read
from tests.conversations.play import Played, play
from tests.conversations.report import examples, plain_report, to_json
from tests.conversations.run import SEED, VARIANTS, jobs, judged, run
from tests.conversations.speech_calls import CALLS
from tests.conversations.timeline import timeline
from tests.conversations.variation import vary
from tests.conversations.verdict import Rule, Verdict

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def verdicts() -> list[Verdict]:
    """A sample of the set: one variant of each scenario, of all kinds of ears in turn. The first
    variants are left out: some take minutes."""
    return [judged((name, 4 + index % 4, SEED)) for index, name in enumerate(SCENARIOS)]


@pytest.mark.parametrize("limit", [pytest.param(limit, id=limit.rule.name) for limit in LIMITS])
def test_the_bot_takes_turns_well(limit: Limit, verdicts: list[Verdict]) -> None:
    """No limit of the set is broken in a sample of it; one case is allowed where any are."""
    found = next(each for each in kept(verdicts) if each.limit is limit)
    allowed = max(limit.share * found.variants, float(limit.share > 0))
    assert len(found.broke) <= allowed, "\n".join(examples([found]))


# ------------------------------------------------------------------ the set


def test_the_set_is_as_large_as_it_says() -> None:
    """At least 40 scenarios, at least 2,000 calls."""
    assert len(SCENARIOS) >= 40
    assert len(jobs(SCENARIOS, VARIANTS, SEED)) >= 2000


def test_a_variant_is_always_the_same() -> None:
    """Played again, it is the same to the last sample; another seed makes another."""
    scenario = SCENARIOS["backchannel-hindi"]
    first, again, other = (play(scenario, 3, seed) for seed in (1, 1, 2))
    assert first.world.ear.runs == again.world.ear.runs
    assert timeline(first, judge(first)) == timeline(again, judge(again))
    assert first.world.variant != other.world.variant


def test_variants_differ() -> None:
    """No two are the same, and every kind of ears has its share."""
    variants = [vary(SCENARIOS["cough"], number, SEED) for number in range(20)]
    assert len({replace(each, number=0) for each in variants}) == 20
    assert len({each.ears for each in variants}) == 4


def test_words_that_are_in_no_list_are_in_none() -> None:
    """Neither whole nor in part, in any language; those of the other callers are in theirs."""
    listed = frozenset[str]().union(
        *(lists.backchannels | lists.interruptions for lists in map(language, codes()))
    )
    words = {word for entry in listed for word in entry.split()}
    assert not [said for _, texts in NO_LIST.values() for said in texts if said in listed | words]
    for tag, texts in LISTS.values():
        known = language(tag).backchannels
        assert not [word for said in texts for word in said.split() if not {word, said} & known]


# ------------------------------------------------------------------ the judge


@pytest.fixture(scope="module")
def stopped() -> Played:
    """A call whose caller interrupts the first answer, and nothing is wrong."""
    return play(SCENARIOS["interrupt-mid-sentence"], 0, SEED)


def spoilt(played: Played, spoil: Callable[[list[Run]], None]) -> Verdict:
    """The verdict when something else had been heard."""
    runs, ear = played.world.ear.runs, played.world.ear
    ear.runs = [replace(each) for each in runs]
    spoil(ear.runs)
    try:
        return judge(played)
    finally:
        ear.runs = runs


def interrupted(played: Played) -> int:
    """Which run was cut: the last before the ``clear``."""
    ear = played.world.ear
    return sum(run.start_ms < ear.clears[0] for run in ear.runs) - 1


def test_a_call_that_went_well_is_found_to_be_so(stopped: Played) -> None:
    """Nothing is wrong, and the bot was silent soon."""
    verdict = judge(stopped)
    assert verdict.findings == []
    assert 0 < verdict.barge_in_ms[0] < 600


def test_a_bot_that_talks_on_is_found(stopped: Played) -> None:
    """Audible much later than the interrupting word, it missed it."""

    def talk_on(runs: list[Run]) -> None:
        runs[interrupted(stopped)].end_ms += 2000

    assert spoilt(stopped, talk_on).has(Rule.MISSED)


@pytest.mark.parametrize(("step", "lost", "repeated"), [(5, 10, 0), (-5, 0, 10)])
def test_a_sample_that_is_lost_or_repeated_is_found(
    stopped: Played, step: int, lost: int, repeated: int
) -> None:
    """Each is counted where a line goes on after a pause."""

    def jump(runs: list[Run]) -> None:
        at = interrupted(stopped)
        whole = runs[at]
        half = (whole.first + whole.after) // 2
        runs[at] = replace(whole, after=half)
        runs.insert(at + 1, replace(whole, first=half + step))

    verdict = spoilt(stopped, jump)
    assert (verdict.lost, verdict.repeated) == (lost, repeated)
    assert verdict.has(Rule.SAMPLES)


def test_words_that_are_lost_or_repeated_are_found(stopped: Played) -> None:
    """The dialogue is given each once."""
    asked = stopped.world.asked
    first, last = asked[0], asked[-1]
    try:
        for wrong in (f"{first.text} {last.text}", "", " ".join(reversed(last.text.split()))):
            asked[-1] = replace(last, text=wrong)
            assert judge(stopped).has(Rule.WORDS), wrong
    finally:
        asked[-1] = last


def test_a_bot_that_is_cut_by_a_cough_is_found() -> None:
    """A ``clear`` within two seconds of it, or a line that was not said to its end."""
    played = play(SCENARIOS["clicks"], 0, SEED)
    assert not judge(played).has(Rule.CUT)
    click = played.world.caller.performed[-1]
    played.world.ear.clears.append(click.end_ms + 300)
    assert judge(played).has(Rule.CUT)
    played.world.ear.clears.clear()

    def cut_short(runs: list[Run]) -> None:
        runs[-1].after -= 100

    assert spoilt(played, cut_short).has(Rule.CUT)


def test_an_answer_that_is_said_twice_is_found() -> None:
    """From its beginning, though nothing was cleared."""
    played = play(SCENARIOS["tools"], 0, SEED)

    def again(runs: list[Run]) -> None:
        runs.append(replace(runs[1], start_ms=runs[-1].end_ms, end_ms=runs[-1].end_ms + 500))

    assert spoilt(played, again).has(Rule.TWICE)


def test_a_tool_that_runs_twice_is_found() -> None:
    """Once a turn is right."""
    played = play(SCENARIOS["tools"], 0, SEED)
    assert not judge(played).has(Rule.TOOLS)
    played.world.asked[0].tools = 2
    assert judge(played).has(Rule.TOOLS)


def test_a_bot_that_is_never_heard_is_found(stopped: Played) -> None:
    """A call without one sound of the bot's is no good call."""
    verdict = spoilt(stopped, list[Run].clear)
    assert verdict.has(Rule.GARBLED)
    assert not verdict.has(Rule.ENDED)


@pytest.mark.parametrize("wrong", [{"take": 11650}, {"after": 32000}])
def test_noise_in_place_of_the_bot_is_found(stopped: Played, wrong: dict[str, int]) -> None:
    """What it never said tells nothing else."""

    def garble(runs: list[Run]) -> None:
        runs[0] = replace(runs[0], **wrong)

    verdict = spoilt(stopped, garble)
    assert [finding.rule for finding in verdict.findings] == [Rule.GARBLED]


def test_noise_has_one_line_in_the_timeline(stopped: Played) -> None:
    """However many numbers it seems to hold."""
    told: list[str] = []

    def garble(runs: list[Run]) -> None:
        runs[:1] = [replace(runs[0], take=take) for take in (11650, 7000)]
        told.append(timeline(stopped, Verdict("noise", 0, "blind")))

    spoilt(stopped, garble)
    assert told[0].count("hears what is none of the bot's") == 1


def test_numbered_audio_is_read_back() -> None:
    """Takes, a jump in one, silence between them, each at its place."""
    take = Take(7, 0)
    samples = np.frombuffer(
        take.audio(0, 100) + bytes(320) + take.audio(150, 50) + Take(8, 0).audio(0, 10), np.int16
    )
    runs = [(run.take, run.first, run.after, run.start_ms) for run in read(samples, 8000)]
    assert runs == [(7, 0, 100, 1000.0), (7, 150, 200, 1045.0), (8, 0, 10, 1057.5)]


# ------------------------------------------------------------------ reports


def test_a_report_has_every_scenario_that_was_played() -> None:
    """With its figures; and a limit that is broken stands out."""
    bad = Verdict("cough", 0, "blind")
    bad.add(Rule.CUT, "cleared after a cough")
    good = Verdict("keys", 1, "blind", answer_ms=[900.0])
    text = plain_report([bad, good])
    assert "cough: " in text
    assert "keys: " in text
    assert "BROKEN: false interruptions" in text
    assert "--scenario cough --variant 0" in text
    told = to_json([bad, good])
    assert told["findings"][0]["rule"] == "cut"
    assert {each["name"]: each["holds"] for each in told["limits"]}["missed interruptions"]


def test_processes_come_to_the_same() -> None:
    """The order and the verdicts are those of one process."""
    todo = jobs(["keys", "clicks"], 2, SEED)
    assert run(todo, 2, print) == run(todo, 1, print)


def test_the_page_says_how_it_is_measured() -> None:
    """Its prose is that of the run that writes it."""
    text = (ROOT / "docs" / "reference" / "turn-taking.md").read_text("utf-8")
    assert text.startswith(page.HEAD)
    assert re.search(r"^\| missed interruptions \| 0 \|", text, re.MULTILINE)


def test_a_page_has_its_tables() -> None:
    """The limits, the scenarios, and the calls on real speech."""
    verdict = Verdict("cough", 0, "blind")
    spoken = [speech.Spoken(CALLS[0], 200.0, (700.0,), (300.0,))]
    text = page.page([verdict], spoken, SEED)
    assert "| cough: a cough | 1 |" in text
    assert "| voice to voice, ms | 700 |" in text
    assert speech.problems(spoken) == []
    late = replace(spoken[0], answer_ms=(2000.0,))
    assert any("voice to voice" in each for each in speech.problems([late]))
    busy = replace(spoken[0], late_ms=80.0)
    assert any("busy" in each for each in speech.problems([busy]))


def test_a_broken_limit_is_an_error() -> None:
    """One missed interruption is enough; a single false one in fifty is not."""
    well = [Verdict("cough", number, "blind") for number in range(50)]
    assert status(well, []) == 0
    assert status(well, ["too slow"]) == 1
    well[0].add(Rule.CUT, "cleared")
    assert status(well, []) == 0
    well[0].add(Rule.MISSED, "audible")
    assert status(well, []) == 1


def test_one_variant_can_be_played_again(capsys: pytest.CaptureFixture[str]) -> None:
    """What happened in it is told, line by line."""
    assert main(["--scenario", "keys", "--variant", "0"]) == 0
    told = capsys.readouterr().out
    assert "presses 4" in told
    assert "nothing is wrong" in told


def test_a_run_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON, for other programs."""
    assert main(["--scenario", "keys", "--variants", "1", "--processes", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["scenarios"]["keys"]["variants"] == 1
