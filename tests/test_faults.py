"""Providers that fail, in every way and at every moment: the caller is told so or the call ends
cleanly, the log says which stage failed and why, and nobody else's call suffers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from exobridge.call.events import EndedBy
from exobridge.call.state import Outcome
from exobridge.simulator import CallPlan, Patience, Say, Wait
from exobridge.simulator import EndedBy as HungUpBy
from tests.played import Played, Scene, heard_last_ms, play
from tests.server import BOT, LINE, bot

SORRY = "We are sorry."
TWO_LINES = [[{"text": "Well."}, {"text": "And that is that."}]]


def faulty(stage: str, how: str) -> str:
    """A template with a plugin's bug at one stage."""
    name = "faulty-realtime" if stage == "realtime" else "faulty"
    return _with(stage, name, {"how": how})


def failing(stage: str, **options: Any) -> str:
    """A template with a provider that fails as a provider may."""
    return _with(stage, "fake-realtime" if stage == "realtime" else "fake", options)


def _with(stage: str, name: str, options: dict[str, Any], **more_tables: Any) -> str:
    if stage == "realtime":
        without = dict.fromkeys(("stt", "tts", "turns", "texts"))
        dialogue = {"provider": name, "options": options}
        return bot(**without, **more_tables, dialogue=dialogue)
    more: dict[str, Any] = {}
    if stage == "tts":
        more["dialogue"] = {"options": {"script": TWO_LINES}}
    return bot(**more, **{stage: {"provider": name, "options": options}})


FATAL: dict[str, tuple[str, str, str]] = {
    # name: the template, and why its stage failed, as the log says it
    **{
        f"{stage} {how}": (stage, faulty(stage, how), why)
        for stage, how, why in (
            ("stt", "hang-open", "did not open in time"),
            ("stt", "crash-open", "stt failed: PluginBugError"),
            ("stt", "crash", "stt failed: PluginBugError"),
            ("stt", "garbage", "str is no event"),
            ("stt", "end", "the session ended by itself"),
            ("tts", "hang-open", "did not open in time"),
            ("tts", "crash-open", "tts failed: PluginBugError"),
            ("tts", "crash", "tts failed: PluginBugError"),
            ("tts", "garbage", "str is no event"),
            ("tts", "end", "the session ended by itself"),
            ("vad", "crash-open", "vad failed: PluginBugError"),
            ("vad", "crash", "vad failed: PluginBugError"),
            ("dialogue", "hang-open", "did not open in time"),
            ("dialogue", "crash-open", "dialogue failed: PluginBugError"),
            ("dialogue", "crash", "dialogue failed: PluginBugError"),
            ("dialogue", "garbage", "str is no action"),
            ("dialogue", "end", "no answer in time"),
        )
    },
    "stt open": ("stt", failing("stt", fault="open"), "nobody there"),
    "stt die": ("stt", failing("stt", fault="die"), "the line broke"),
    "stt hang": ("stt", failing("stt", fault="hang"), "no final text in time"),
    "stt late": ("stt", failing("stt", delay_ms=3000), "no final text in time"),
    "tts hang": ("tts", failing("tts", fault="hang", fault_at=2), "no audio in time for"),
    "tts stall": ("tts", failing("tts", fault="stall", fault_at=2), "no audio in time for"),
    "vad fail": ("vad", failing("vad", fault="fail", fault_at=40), "inference failed"),
    "dialogue open": ("dialogue", failing("dialogue", fault="open"), "nobody there"),
    "dialogue fail": ("dialogue", failing("dialogue", fault="fail"), "no answer"),
    "dialogue hang": ("dialogue", failing("dialogue", fault="hang"), "no answer in time"),
}
"""What a call does not survive, and can still say sorry for."""

SPEECHLESS: dict[str, tuple[str, str, str]] = {
    "tts dead": ("tts", failing("tts", fault="open"), "nobody there"),
    "tts dies at once": ("tts", failing("tts", fault="die"), "the line broke"),
    "realtime open": ("realtime", failing("realtime", fault="open"), "nobody there"),
    "realtime hang-open": ("realtime", faulty("realtime", "hang-open"), "did not open in time"),
    "realtime crash-open": (
        "realtime",
        faulty("realtime", "crash-open"),
        "realtime failed: PluginBugError",
    ),
    "realtime crash": ("realtime", faulty("realtime", "crash"), "realtime failed: PluginBugError"),
}
"""What a call does not survive, and has no voice to say sorry for."""

HARMLESS: dict[str, str] = {
    "healthy": BOT,
    "stt slow": failing("stt", delay_ms=500),
    "stt trouble": failing("stt", fault="trouble", fault_at=2),
    "stt twice": failing("stt", fault="twice"),
    "stt out of order": failing("stt", fault="garbage"),
    "tts slow": failing("tts", delay_ms=300),
    "tts trouble": failing("tts", fault="trouble", fault_at=2),
    "tts late": failing("tts", fault="late"),
    "tts odd": failing("tts", fault="odd"),
    "dialogue slow": failing("dialogue", delay_ms=500),
    "realtime slow": failing("realtime", silence_ms=400),
    "realtime late": failing("realtime", fault="late"),
    **{
        f"{stage} hang-close": faulty(stage, "hang-close")
        for stage in ("stt", "tts", "vad", "dialogue", "realtime")
    },
}
"""What a caller need not notice."""

REOPENED: dict[str, tuple[str, str, str]] = {
    "tts breaks": ("tts", failing("tts", fault="die", fault_at=2), "the line broke"),
    "dialogue breaks": ("dialogue", failing("dialogue", fault="break"), "the line broke"),
}
"""The only provider of a stage dies in the middle of an answer: a new session of it goes on."""

DEAF: dict[str, str] = {
    "vad mute": failing("vad", fault="mute"),
    "dialogue mute": failing("dialogue", fault="mute"),
    "realtime mute": failing("realtime", fault="mute"),
}
"""Nothing is reported, and nothing comes: to the bot the caller is silent."""


PATIENT = CallPlan(url="http://localhost", patience=Patience(bot_done_ms=250, bot_timeout_ms=5000))
"""A caller who waits for an answer, and first for a greeting, whether there is one or not."""


def scenes() -> dict[str, Scene]:
    """One call for each, and healthy ones between them."""
    ask_and_wait = (Say(LINE), Wait(8000))
    found = {name: Scene(text, ask_and_wait) for name, (_, text, _) in FATAL.items()}
    found |= {name: Scene(text, ask_and_wait) for name, (_, text, _) in SPEECHLESS.items()}
    found |= {name: Scene(text, plan=PATIENT) for name, (_, text, _) in REOPENED.items()}
    silences = {"idle_seconds": 0.7}
    found |= {name: Scene(text, ask_and_wait, limits=silences) for name, text in DEAF.items()}
    found |= {name: Scene(text, plan=PATIENT) for name, text in HARMLESS.items()}
    failing_vad = {"options": {"fault": "fail", "fault_at": 10}}
    without_ears = _with("realtime", "fake-realtime", {}, vad=failing_vad)
    found["realtime vad"] = Scene(without_ears, plan=PATIENT)
    return {_template(name): scene for name, scene in found.items()}


def _template(name: str) -> str:
    return name.replace(" ", "_")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Played]:
    """All of them at once, on one server."""
    found = await play(tmp_path_factory.mktemp("faults"), scenes())
    return {name.replace("_", " "): one for name, one in found.items()}


def failures(one: Played) -> list[tuple[str, str]]:
    """The stages that failed, and why, as the log of a call says."""
    entries = one.entries("provider failed")
    assert {entry["level"] for entry in entries} <= {"error"}
    return [(entry["stage"], entry["error"]) for entry in entries]


def check_ended_by_us(one: Played, stage: str) -> None:
    """The call was ended cleanly, for this stage's sake."""
    assert (one.report.ended_by, one.report.close_code) == (HungUpBy.BOT, 1000)
    assert (one.call.outcome, one.call.ended_by, one.call.end_reason) == (
        Outcome.FAILED,
        EndedBy.SERVER,
        f"{stage} failed",
    )
    assert len(one.entries("call started")) == len(one.entries("call ended")) == 1
    assert one.entries("call crashed") == []
    assert one.broken_rules == []


@pytest.mark.parametrize("name", FATAL)
def test_the_caller_is_told_that_something_went_wrong(name: str, played: dict[str, Played]) -> None:
    """With the line that was rendered before, to its end; then the call is over."""
    stage, _, why = FATAL[name]
    one = played[name]
    check_ended_by_us(one, stage)
    first_stage, first_why = failures(one)[0]
    assert (first_stage, first_why[: len(why)]) == (stage, why)
    assert one.said[-1] == SORRY
    assert not one.turns[-1].interrupted
    # What it cut short, a moment before, is one turn with it to the caller's ear.
    assert heard_last_ms(one.report) >= 230


@pytest.mark.parametrize("name", SPEECHLESS)
def test_without_a_voice_the_call_ends_all_the_same(name: str, played: dict[str, Played]) -> None:
    """In silence: nothing was said, and nothing is pretended."""
    stage, _, why = SPEECHLESS[name]
    one = played[name]
    check_ended_by_us(one, stage)
    assert failures(one)[0] == (stage, why)
    assert SORRY not in one.said


@pytest.mark.parametrize("name", HARMLESS)
def test_what_a_call_survives_it_survives(name: str, played: dict[str, Played]) -> None:
    """The caller is answered and hangs up; no failure is in the log."""
    one = played[name]
    assert one.report.problems == ()
    assert one.broken_rules == []
    assert one.call.outcome is Outcome.COMPLETED
    assert failures(one) == []


@pytest.mark.parametrize("name", REOPENED)
def test_a_session_that_dies_is_opened_anew(name: str, played: dict[str, Played]) -> None:
    """The caller hears the answer, and the log says what happened."""
    stage, _, why = REOPENED[name]
    one = played[name]
    assert one.report.problems == ()
    assert one.call.outcome is Outcome.COMPLETED
    assert failures(one) == []
    lost = [(entry["stage"], entry["error"]) for entry in one.entries("session lost")]
    assert lost == [(stage, why)]


@pytest.mark.parametrize("name", DEAF)
def test_a_bot_that_hears_nothing_asks_and_leaves(name: str, played: dict[str, Played]) -> None:
    """As with a silent caller; a speech-to-speech session is not told to say anything."""
    one = played[name]
    assert (one.call.ended_by, one.call.end_reason) == (EndedBy.BOT, "idle")
    asked = [] if name.startswith("realtime") else ["Still there?", "Goodbye."]
    assert one.said[-2:] == asked


def test_speech_to_speech_goes_on_without_voice_detection(played: dict[str, Played]) -> None:
    """It is only there to end a silent call; the failure is in the log."""
    one = played["realtime vad"]
    assert one.report.problems == ()
    assert one.call.outcome is Outcome.COMPLETED
    assert failures(one) == [("vad", "inference failed")]


@pytest.mark.parametrize("stage", ["stt", "tts", "vad", "dialogue", "realtime"])
def test_the_line_does_not_wait_for_a_session_that_will_not_close(
    stage: str, played: dict[str, Played]
) -> None:
    """The call is over and recorded before; the session is given up after its limit."""
    one = played[f"{stage} hang-close"]
    names = [entry["event"] for entry in one.log]
    unclean = "provider crashed" if stage == "vad" else "session not closed cleanly"
    assert names.index("call ended") < names.index(unclean)
    assert one.log[names.index(unclean)]["stage"] == stage


def test_a_plugins_own_words_stay_in_its_trace(played: dict[str, Played]) -> None:
    """An exception's text may hold anything; no other field of the log, and no record, has it."""
    for one in played.values():
        for entry in one.log:
            shown = {key: value for key, value in entry.items() if key != "exception"}
            assert "hush-hush" not in str(shown)
        assert "hush-hush" not in str(one.events)
    crash = played["stt crash"].entries("provider crashed")
    assert "hush-hush" in crash[0]["exception"]
    assert crash[0]["stage"] == "stt"


async def test_a_greeting_that_does_not_come_ends_the_call(tmp_path: Path) -> None:
    """Neither greeting nor sorry line was rendered when the provider went silent: nobody waits
    longer than for one greeting and one last line."""
    scenes = {"never": Scene(failing("tts", fault="hang"), (Wait(8000),))}
    one = (await play(tmp_path, scenes, preloaded=False))["never"]
    check_ended_by_us(one, "tts")
    assert failures(one) == [("tts", "no greeting in time")]
    assert one.said == []
    assert len(one.entries("last line cannot be said")) == 1
