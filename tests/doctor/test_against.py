"""A server that is called once, and what is found."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from exobridge.doctor import Finding, Level
from exobridge.doctor.against import Target, examine_server
from exobridge.doctor.against_findings import findings
from exobridge.simulator.flows.conformance import Urls
from exobridge.simulator.flows.report import Asked, Ending, FlowReport, What
from exobridge.simulator.report import CallReport, EndedBy, Outcome, Turn
from exobridge.simulator.rules import Rule, Violation
from tests.doctor.looking import SECRET, levels, of, one
from tests.process import run
from tests.server import bot, serving
from tests.simulator.flows.ground import Given, ground


def quiet(what: str) -> None:
    """Nobody is told."""
    del what


async def looked(urls: Urls, auth_token: str = "") -> list[Finding]:
    """The findings of a caller without a voice."""
    target = Target(urls, auth_token, speaks=False)
    return await asyncio.wait_for(examine_server(target, quiet), 40)


async def test_a_right_server_is_found_right_with_one_call(tmp_path: Path) -> None:
    """All its webhooks are tried; nothing of the call is left there but its record."""
    async with serving(tmp_path, {"default": bot()}, EXOBRIDGE_SECRET=SECRET) as server:
        found = await looked(Urls.at(server.url), SECRET)
        await server.bridge.store.flush()
        calls = await server.bridge.store.calls(10)
    assert levels(found) == {
        "against.call": Level.INFO,
        "against.passthru": Level.OK,
        "against.dialling": Level.OK,
        "against.callback": Level.OK,
        "against.answer": Level.OK,
        "against.stream": Level.OK,
        "against.audio": Level.OK,
        "against.end": Level.OK,
        "against.greeting": Level.OK,
        "against.marks": Level.OK,
        "against.keys": Level.OK,
        "against.garbage": Level.OK,
        "against.untried": Level.INFO,  # it has no voice
    }
    assert len(calls) == 1
    assert calls[0].call_sid in one(found, "against.call").found
    assert SECRET not in "".join(each.found + each.cure for each in found)


async def test_a_wrong_server_is_told_its_rules_and_their_cure() -> None:
    """Each webhook by its own finding; nonsense that fails it, too."""
    async with ground(
        answer=Given({"url": "not a stream"}),
        dial=Given("nobody", kind="text/html"),
        status=Given(status=500),
    ) as server:
        at = server.url
        found = await looked(Urls(f"{at}/answer", "", f"{at}/dial", f"{at}/status"))
    levels_found = levels(found)
    for about in ("answer", "dialling", "callback", "garbage"):
        assert levels_found.get(f"against.{about}") is Level.ERROR or about == "answer"
    assert Level.ERROR in {each.level for each in found if "stream-url" in each.found}
    [dialled] = [each for each in found if "dial-type" in each.found]
    assert Rule.DIAL_TYPE.cure in dialled.cure
    assert Rule.DIAL_TYPE.source in dialled.cure
    untried = [each.found for each in of(found, "against.untried")]
    assert any("Passthru" in each for each in untried)


async def test_where_nobody_listens_only_that_is_an_error() -> None:
    """The rest was not tried, and no path is said to be missing."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/exotel/answer"
        found = await looked(Urls(answer=url))
    [bad] = [each for each in found if each.level is Level.ERROR]
    assert bad.id == "against.answer"
    assert "connection refused" in bad.found
    untried = [each for each in found if each.id == "against.untried"]
    assert len(untried) == 5  # three webhooks, the nonsense, and speech
    assert not any("is not served" in each.found or "-url" in each.cure for each in untried)


async def test_a_server_with_paths_of_its_own_is_asked_at_none_that_was_guessed() -> None:
    """And of one at the usual path those that are not there are told as not tried."""
    async with ground(own=Given(status=302)) as server:
        found = await looked(Urls.at(f"{server.url}/own"))
        assert {seen.path for seen in server.seen} == {"/own"}
        server.set("/exotel/answer", Given(status=302))
        found = await looked(Urls.at(server.url))
    untried = [each.found for each in of(found, "against.untried")]
    for path in ("/exotel/passthru", "/exotel/dial-up", "/exotel/callback/status"):
        assert any(f"{path} is not served" in each for each in untried)
    assert one(found, "against.stream").level is Level.WARNING


STREAM = CallReport(
    call_sid="c",
    stream_sid="s",
    encoding="pcm16",
    sample_rate=8000,
    frame_ms=20,
    outcome=Outcome.COMPLETED,
    ended_by=EndedBy.CALLER,
    handshake_ms=3,
    greeting_ms=90,
    chunks_received=5,
    bytes_received=8000,
    marks_received=1,
    marks_returned=1,
    turns=(Turn("caller", "1", 0, 1, 1),),
    voice_to_voice_ms=(600,),
    barge_in_ms=(300,),
)
REPORT = FlowReport("c", None, Ending.CALLER, 9.0, path=("bot",), streams=(STREAM,))
URLS = Urls(answer="ws://bot")


def test_a_bot_that_behaves_is_ok_in_everything() -> None:
    """What was done is only worth knowing."""
    found = levels(findings(REPORT, URLS, spoke=True))
    assert found.pop("against.call") is Level.INFO
    assert set(found.values()) == {Level.OK}
    assert {"against.talk", "against.interruption"} <= set(found)


@pytest.mark.parametrize(
    ("changed", "about", "level"),
    [
        ({"greeting_ms": None}, "against.greeting", Level.ERROR),
        ({"greeting_ms": 4000}, "against.greeting", Level.WARNING),
        ({"marks_received": 0}, "against.marks", Level.INFO),
        ({"voice_to_voice_ms": (None,)}, "against.talk", Level.WARNING),
        ({"voice_to_voice_ms": (4000,)}, "against.talk", Level.WARNING),
        ({"barge_in_ms": ()}, "against.untried", Level.INFO),
        ({"barge_in_ms": (2000,)}, "against.interruption", Level.WARNING),
        ({"outcome": Outcome.DROPPED}, "against.end", Level.ERROR),
        ({"outcome": Outcome.TIMED_OUT}, "against.end", Level.WARNING),
        ({"ended_by": EndedBy.BOT}, "against.end", Level.INFO),
        ({"outcome": Outcome.REFUSED, "handshake_ms": None}, "against.stream", Level.WARNING),
    ],
)
def test_what_callers_would_not_put_up_with_is_told(
    changed: dict[str, object], about: str, level: Level
) -> None:
    """Whether or not a rule of Exotel's says so; each that is to be mended has its cure."""
    stream = replace(STREAM, **changed)  # type: ignore[arg-type]  # values of these very fields
    found = one(findings(replace(REPORT, streams=(stream,)), URLS, spoke=True), about)
    assert found.level is level
    assert found.cure or level is Level.INFO


def test_a_rule_that_was_broken_stands_in_place_of_all_is_well() -> None:
    """Once, however often it was; the area's other findings are left out."""
    broken = tuple(Violation(Rule.CHUNK_STEP, at, "100 bytes") for at in (1.0, 2.0))
    asked = (Asked(What.CALLBACK, 1, 2, 500),)
    report = replace(
        REPORT, asked=asked, violations=(*broken, Violation(Rule.CALLBACK_STATUS, 3, "status 500"))
    )
    found = findings(report, replace(URLS, callback="http://bot/status"), spoke=True)
    audio = one(found, "against.audio")
    assert (audio.level, "2 ×" in audio.found) == (Level.ERROR, True)
    assert one(found, "against.callback").level is Level.ERROR


async def test_the_command_says_it_in_the_doctors_form(tmp_path: Path) -> None:
    """A server that is not there is 1, and nothing of this installation is looked at."""
    status, out, err = await run(
        tmp_path, "doctor", "--against", "ws://127.0.0.1:9/stream", LOG_LEVEL="LOUD"
    )
    assert (status, err) == (1, "")
    assert out.startswith("The server that was called\n")
    assert "Settings" not in out
    assert "opening of the stream" in out
    assert "      → " in out
