"""What a running server keeps of its calls' wire, over real sockets."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

from exobridge.keeping.erasure import Erasure
from exobridge.own_recording.service import spool_of
from exobridge.simulator import CallPlan, CallReport, Exotel, Say
from exobridge.wire import Recording, Side, read_wire
from exobridge.wire.folder import WireFolder
from tests.peer import Peer, stream
from tests.server import LINE, QUICK, http_client, serving

SECRET = "a-secret-of-the-tests"
CALLER, CALLED = "09811122233", "08047112233"


async def a_call(url: str, call_sid: str, secret: str = "") -> CallReport:
    """A caller says a word."""
    plan = CallPlan(
        url=url,
        script=(Say(LINE),),
        caller=CALLER,
        called=CALLED,
        patience=QUICK,
        call_sid=call_sid,
        auth_token=secret,
        custom_parameters={"session": "abcdef0123456789ABCD", "plan": "gold"},
    )
    async with Exotel() as exotel:
        return await exotel.call(plan)


def events(recording: Recording, side: Side) -> list[str]:
    """The names of a side's events, runs of audio as one."""
    names: list[str] = []
    for frame in recording.streams[0].by(side):
        name = frame.text.split('"event":')[1].split('"')[1]
        if not names or names[-1] != name:
            names.append(name)
    return names


async def test_a_call_is_kept_from_its_question_to_its_callback(tmp_path: Path) -> None:
    """The webhooks, both sides' frames with their times, the template and the end; and nothing that
    must not be passed on."""
    folder = tmp_path / "wire"
    async with serving(tmp_path, EXOBRIDGE_WIRE_DIR=str(folder), EXOBRIDGE_SECRET=SECRET) as server:
        report = await a_call(server.url, "call-1", SECRET)
        await server.until_over("call-1")
        async with http_client(server.url) as http:
            told = {"CallSid": "call-1", "Status": "completed", "EventType": "terminal"}
            answer = await http.post(f"/exotel/callback/status/{SECRET}", data=told)
            assert answer.status_code == 200
    _the_whole_call(read_wire(folder / "call-1.wire.gz"), report)
    _nothing_that_must_not_be_passed_on(folder / "call-1.wire.gz")


def _the_whole_call(recording: Recording, report: CallReport) -> None:
    assert recording.header.call_sid == "call-1"
    assert recording.header.kept_by is Side.SERVER
    assert not recording.torn
    assert [(hook.method, hook.path, hook.status) for hook in recording.webhooks] == [
        ("GET", "/exotel/answer", 200),
        ("POST", "/exotel/callback/status/***", 200),
    ]
    (kept,) = recording.streams
    assert kept.template == "default"
    assert kept.closed is not None
    assert events(recording, Side.EXOTEL)[:3] == ["connected", "start", "media"]
    assert events(recording, Side.EXOTEL)[-1] == "stop"
    assert {"media", "mark"} <= set(events(recording, Side.SERVER))
    sent = [frame for frame in kept.by(Side.EXOTEL) if '"media"' in frame.text]
    assert len(sent) == report.frames_sent
    assert 0 <= kept.frames[0].ms < sent[-1].ms <= kept.closed.ms


def _nothing_that_must_not_be_passed_on(path: Path) -> None:
    """Neither the secret, nor a stream's token, nor a number, nor what looks like a token; and
    nobody else may read the file."""
    recording = read_wire(path)
    text = repr(recording)
    for secret in (SECRET, CALLER[1:], CALLED[1:], "abcdef0123456789ABCD"):
        assert secret not in text
    hook = recording.webhooks[0]
    assert hook.body.endswith('/exotel/stream/***"}')
    assert ("CallFrom", "+91*******233") in hook.parameters
    assert ("auth_token", "***") in hook.parameters
    start = recording.streams[0].frames[1].text
    assert '"from":"+91*******233"' in start
    assert '"plan":"gold"' in start
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_a_stream_without_a_start_is_kept_by_itself(tmp_path: Path) -> None:
    """It is what a report of a call that never began needs."""
    folder = tmp_path / "wire"
    async with (
        serving(tmp_path, EXOBRIDGE_WIRE_DIR=str(folder)) as server,
        stream(server.stream_url, call_sid="nobody") as peer,
    ):
        await peer.send('{"event":"connected"}')
        await peer.send("no JSON, but auth_token=abcdef")
        await until_closed(peer)
    (path,) = folder.glob("no-start-*.wire.gz")
    recording = read_wire(path)
    assert recording.header.call_sid == ""
    assert [frame.text for frame in recording.streams[0].frames] == [
        '{"event":"connected"}',
        "no JSON, but auth_token=***",
    ]
    closed = recording.streams[0].closed
    assert closed is not None
    assert (closed.by, closed.code) == (Side.SERVER, 1008)


async def until_closed(peer: Peer) -> None:
    """The server closes the socket."""
    async with asyncio.timeout(10):
        await peer.socket.wait_closed()


async def test_a_disk_that_fails_costs_the_file_and_not_the_call(tmp_path: Path) -> None:
    """The log says so once. What is erased of a call, its file is among it."""
    folder = tmp_path / "wire"
    async with serving(tmp_path, EXOBRIDGE_WIRE_DIR=str(folder)) as server:
        (folder / "call-4.wire.gz").mkdir(parents=True)
        report = await a_call(server.url, "call-4")
        await server.until_over("call-4")
        assert report.went_well, report.problems
        assert len(server.log("wire cut", call_sid="call-4")) == 1
        wire = WireFolder(folder, Side.SERVER)
        wire.append("call-5", "call-5", [])
        storage, spool = server.bridge.recordings.storage, spool_of(tmp_path)
        await Erasure(server.bridge.store, storage, spool, wire).erase(["call-5"])
        assert not wire.path("call-5").exists()
