"""From the first question to the recording: a call that is handed to a human, and its sad twins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exobridge.call.events import EventKind
from exobridge.call.state import Outcome, State
from exobridge.simulator import Exotel, Say, Wait
from tests import process
from tests.exotel_account import FakeAccount, FakeCall, Recording, exotel_account
from tests.server import LINE, Server, bot, http_client, serving, until
from tests.stories.flow import CALLER, Agent, Branch, Flow
from tests.stories.hurry import hurried

FIRST, SECOND = "+918041112233", "+918041112244"
SECRET = "a-secret-of-the-stories"
API_KEY = "a-key-for-the-control-api"
SUMMARY = "Wants to return a pair of shoes."


def desk(**transfer: Any) -> str:
    """A template whose bot hands its callers to the desk in its first answer, and goes on talking
    with those who come back."""
    hand_over = [{"text": "I will find somebody."}, {"target": "desk", "summary": SUMMARY}]
    table: dict[str, Any] = {
        "target": "desk",
        "whisper": "text",
        "targets": {"desk": {"numbers": [FIRST, SECOND]}},
        **transfer,
    }
    return bot(
        dialogue={"options": {"script": [hand_over, [{"text": "Let me see myself."}]]}},
        transfer=table,
    )


@dataclass(frozen=True, slots=True)
class Story:
    """What a story is told with."""

    server: Server
    account: FakeAccount
    flow: Flow


def settings(account: FakeAccount) -> dict[str, Any]:
    """What the server of a story is told."""
    return {
        **account.variables,
        "EXOBRIDGE_SECRET": SECRET,
        "EXOBRIDGE_API_KEY": API_KEY,
        "RECORDING_HOSTS": account.url.removeprefix("http://"),
    }


async def recorded(url: str) -> bytes:
    """The call's recording, as the control API gives it, once it is there."""
    headers = {"Authorization": f"Bearer {API_KEY}"}
    async with http_client(url) as http:

        async def is_there() -> bool:
            answer = await http.get("/api/v1/calls/call/recording", headers=headers)
            return answer.status_code == 200

        await until(is_there)
        return (await http.get("/api/v1/calls/call/recording", headers=headers)).content


@asynccontextmanager
async def story(
    folder: Path, template: str, recording: Recording | None = None
) -> AsyncGenerator[Story]:
    """A server, an account that has the call ``call``, and a flow for it."""
    async with exotel_account() as account:
        account.calls["call"] = FakeCall(recording=recording, presigned=True)
        async with (
            serving(folder, {"default": template}, **settings(account)) as server,
            Exotel() as exotel,
            http_client() as http,
        ):
            yield Story(server, account, Flow(exotel, http, server.url, "call", SECRET))


async def test_a_caller_is_handed_to_the_second_agent_and_the_recording_is_kept(
    tmp_path: Path,
) -> None:
    """The first agent is busy, the second hears who calls and talks; the callback ends the story,
    and the recording that Exotel has is fetched and can be played."""
    recording = Recording(unready=1)
    async with story(tmp_path, desk(), recording) as told:
        flow, server = told.flow, told.server
        report = await flow.voicebot(Say(LINE), Wait(3000))
        assert not report.problems
        assert await flow.passthru("/exotel/dial-up/passthru")
        connected = await flow.connect({FIRST: Agent.BUSY, SECOND: Agent.ANSWERS})
        assert (connected.branch, connected.dialled) == (Branch.TALKED, [FIRST, SECOND])
        assert SUMMARY in str(connected.whispered)
        assert await flow.after_connect(CallType="completed")
        assert not await flow.passthru("/exotel/dial-up/passthru"), "the transfer is over"
        assert await flow.status(ConversationDuration="42") == 200

        call = await server.until_over("call")
        assert (call.state, call.outcome) == (State.ENDED, Outcome.TRANSFERRED)
        assert call.transfer is not None
        assert (call.transfer.status, call.transfer.number) == ("answered", SECOND)
        async with hurried(tmp_path):
            assert await recorded(told.server.url) == recording.body
        kinds = {event.kind for event in await server.bridge.store.events("call")}
        assert {EventKind.STATUS, EventKind.DIAL_ASKED, EventKind.RECORDING} <= kinds


async def test_nobody_answers_and_the_bot_goes_on_with_the_caller(tmp_path: Path) -> None:
    """The flow leads back to the bot, which knows what was said and that nobody could be had."""
    async with story(tmp_path, desk()) as told:
        flow, server = told.flow, told.server
        await flow.voicebot(Say(LINE), Wait(3000))
        connected = await flow.connect({FIRST: Agent.BUSY, SECOND: Agent.SILENT})
        assert (connected.branch, connected.dialled) == (Branch.NOBODY, [FIRST, SECOND])

        await flow.voicebot(Wait(1500))
        assert await flow.status() == 200
        call = await server.until_over("call")
        assert call.streams == 2
        assert call.outcome is Outcome.COMPLETED
        assert call.transfer is not None
        assert call.transfer.status == "failed"
        turns = await server.bridge.store.turns("call")
        second = [turn for turn in turns if turn.stream_sid == call.stream_sid]
        assert "Hello there." not in [turn.text for turn in second], "it knows the caller"
        assert second[0].text == server.bridge.templates["default"].texts.transfer_failed


async def test_the_caller_hangs_up_while_an_agent_is_rung(tmp_path: Path) -> None:
    """The call is over, and the record says that nobody was reached."""
    async with story(tmp_path, desk()) as told:
        flow, server = told.flow, told.server
        await flow.voicebot(Say(LINE), Wait(3000))
        connected = await flow.connect({FIRST: Agent.CALLER_LEAVES})
        assert connected.branch is Branch.CALLER_LEFT
        assert await flow.status(ConversationDuration="0") == 200
        call = await server.until_over("call")
        assert call.state is State.ENDED
        assert call.outcome is not Outcome.TRANSFERRED
        assert call.transfer is not None
        assert call.transfer.status == "failed"


async def test_the_callback_never_comes(tmp_path: Path) -> None:
    """Exotel's call details end the story, and lead to the recording."""
    recording = Recording()
    async with story(tmp_path, desk(), recording) as told:
        flow, server = told.flow, told.server
        await flow.voicebot(Say(LINE), Wait(3000))
        await flow.connect({FIRST: Agent.ANSWERS})
        async with hurried(tmp_path):
            call = await server.until_over("call")
            assert await recorded(told.server.url) == recording.body
        assert call.outcome is Outcome.TRANSFERRED
        kinds = [event.kind for event in await server.bridge.store.events("call")]
        assert EventKind.STATUS not in kinds
        assert EventKind.DETAILS in kinds


async def test_the_recording_is_late_and_refused_at_first(tmp_path: Path) -> None:
    """404 for a while, then 401, then it is there: it is asked for until it can be had."""
    recording = Recording(unready=4, refused=2)
    async with story(tmp_path, bot(), recording) as told:
        await told.flow.voicebot(Say(LINE))
        assert await told.flow.status(RecordingUrl=told.account.recording_url("call")) == 200
        async with hurried(tmp_path):
            assert await recorded(told.server.url) == recording.body
        assert told.account.count("mp3") > recording.unready + recording.refused


async def test_a_server_that_was_killed_fetches_the_recording_after_its_start(
    tmp_path: Path,
) -> None:
    """What the callback told is kept before it is answered: `kill -9` takes nothing of it."""
    async with exotel_account() as account, Exotel() as exotel, http_client() as http:
        late = Recording(unready=1_000)
        account.calls["call"] = FakeCall(recording=late, presigned=True)
        variables = settings(account)
        async with process.server(tmp_path, **variables) as first:
            flow = Flow(exotel, http, first.url, "call", SECRET)
            await flow.voicebot(Say(LINE))
            assert await flow.status(RecordingUrl=account.recording_url("call")) == 200
            first.process.kill()
        late.unready = 0
        async with process.server(tmp_path, **variables) as second, hurried(tmp_path):
            assert await recorded(second.url) == late.body


async def test_the_text_contract_hands_the_caller_over_too(tmp_path: Path) -> None:
    """A Connect applet that wants plain text is answered with all numbers at once."""
    async with story(tmp_path, desk()) as told, http_client(told.server.url) as http:
        await told.flow.voicebot(Say(LINE), Wait(3000))
        given = {"CallSid": "call", "CallFrom": CALLER, "auth_token": SECRET}
        answers = await asyncio.gather(
            *(http.get("/exotel/dial-up", params=given) for _ in range(5))
        )
        assert {answer.text for answer in answers} == {f"{FIRST},{SECOND}"}
        assert answers[0].headers["content-type"].startswith("text/plain")
