"""Providers that stand in for each other, in real calls: the conversation goes on. Every fault of
every call of the contracts is in ``test_faults_of_each_call``, in virtual time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from exobridge.call.events import EventKind
from exobridge.call.state import Outcome
from exobridge.simulator import BargeIn, CallPlan, Clip, Exotel, Patience, Say, Step
from exobridge_codecs.tones import tone
from tests.observe.exposed import scrape
from tests.played import Played, Scene, play
from tests.server import LINE, QUICK, bot, serving

LONG = "This is a long answer of the bot, which takes its time to come to its end."
OVER = Clip(tone(330, 1200, 8000), 8000, "two")
"""Long enough to be no mere noise."""

FAULTS = [
    ("stt", "provider.open", "hang"),
    ("stt", "session.send", "crash"),
    ("stt", "session.finalize", "fail"),
    ("stt", "session.events", "end"),
    ("tts", "provider.open", "crash"),
    ("tts", "session.say", "hang"),
    ("tts", "session.cancel", "fail"),
    ("tts", "session.events", "fail"),
    ("dialogue", "provider.open", "fail"),
    ("dialogue", "session.respond", "hang"),
    ("dialogue", "session.aclose", "hang"),
]
"""Of the kinds that can have another provider: a stage, the call that fails, and how."""

COMMON: dict[str, Any] = {"stt": {"script": ["one", "two"]}, "tts": {"ms_per_char": 20}}


def template(stage: str, at: str, how: str) -> str:
    """A bot whose first provider of one stage is broken."""
    broken = {**COMMON.get(stage, {}), "at": at, "how": how}
    dialogue = {"options": {"script": [[{"text": LONG}]]}} if at == "session.cancel" else {}
    # A table of a template that is for one provider cannot be for several.
    emptied = dict.fromkeys(COMMON.get(stage, {}))
    options = {**emptied, "broken": broken, "spare": COMMON.get(stage, {})}
    table = {"provider": "broken,spare", "options": options}
    return bot(**({"dialogue": dialogue} | {stage: table}))


def script(at: str) -> tuple[Step, ...]:
    """What the caller does: speak, and into the answer, where that is what breaks."""
    return (Say(LINE), BargeIn(OVER, 300)) if at == "session.cancel" else (Say(LINE),)


def name(stage: str, at: str, how: str) -> str:
    """Of a template."""
    return f"{stage}_{at.replace('.', '_')}_{how}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def spared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Played]:
    """A call for each fault, all at once."""
    plan = CallPlan(url="http://localhost", patience=Patience(250, bot_timeout_ms=3000))
    scenes = {name(*fault): Scene(template(*fault), script(fault[1]), plan) for fault in FAULTS}
    return await play(tmp_path_factory.mktemp("spared"), scenes)


@pytest.mark.parametrize(("stage", "at", "how"), FAULTS)
def test_another_provider_goes_on(stage: str, at: str, how: str, spared: dict[str, Played]) -> None:
    """The caller is understood and answered, and hangs up; no failure is felt."""
    one = spared[name(stage, at, how)]
    assert one.report.problems == ()
    assert one.broken_rules == []
    assert one.call.outcome is Outcome.COMPLETED
    assert one.entries("provider failed") == one.entries("call crashed") == []
    assert "one" in one.said
    assert "two" in one.said or at != "session.cancel"


def test_what_each_provider_was_given_is_in_the_record(spared: dict[str, Played]) -> None:
    """And the call has the sum."""
    one = spared[name("stt", "session.finalize", "fail")]
    end = next(event for event in one.events if event.kind is EventKind.STREAM_ENDED)
    usage: Any = end.data["usage"]
    assert [used["provider"] for used in usage["stt"]] == ["broken", "spare"]
    seconds = [used["seconds"] for used in usage["stt"]]
    assert min(seconds) > 0.3
    assert one.call.usage.stt_seconds == pytest.approx(sum(seconds))


async def test_the_metrics_show_who_failed_and_whose_circuit_is_open(tmp_path: Path) -> None:
    """Calls that come meanwhile go to the next at once, and the server stays ready."""
    templates = {
        "default": bot(
            stt={
                "provider": "broken,spare",
                "options": {
                    "script": None,
                    "broken": {"at": "provider.open", "how": "fail"},
                    "spare": COMMON["stt"],
                },
            }
        )
    }
    async with serving(tmp_path, templates) as server, Exotel() as exotel:
        plan = CallPlan(url=server.url, script=(Say(LINE),), patience=QUICK)
        for report in await asyncio.gather(*(exotel.call(plan) for _ in range(3))):
            await server.until_over(report.call_sid)
            assert report.problems == ()
        exposed = await scrape(server.url)
        circuits = "exobridge_provider_circuits"
        states = {
            (provider, state): exposed(circuits, kind="stt", provider=provider, state=state)
            for provider in ("broken", "spare")
            for state in ("closed", "open", "half-open")
        }
        assert {key for key, value in states.items() if value} == {
            ("broken", "open"),
            ("spare", "closed"),
        }
        errors = exposed(
            "exobridge_provider_errors_total", kind="stt", provider="broken", retryable="true"
        )
        assert errors == 3
        assert len(server.log("circuit opened")) == 1
        async with httpx.AsyncClient(trust_env=False) as http:
            assert (await http.get(f"{server.url}/health/ready")).status_code == 200


async def test_a_provider_that_cannot_start_does_not_keep_the_server_from_being_ready(
    tmp_path: Path,
) -> None:
    """Where another works; the log has the failure."""
    options = {"script": None, "faulty": {"how": "crash-start"}, "spare": COMMON["stt"]}
    templates = {"default": bot(stt={"provider": "faulty,spare", "options": options})}
    async with serving(tmp_path, templates) as server, Exotel() as exotel:
        async with httpx.AsyncClient(trust_env=False) as http:
            assert (await http.get(f"{server.url}/health/ready")).status_code == 200
        assert len(server.log("provider crashed", template="default")) == 1
        plan = CallPlan(url=server.url, script=(Say(LINE),), patience=QUICK)
        report = await exotel.call(plan)
        await server.until_over(report.call_sid)
        assert report.problems == ()
