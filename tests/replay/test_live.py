"""A kept call at a server, in real time, over real sockets."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from exobridge.cli.main import app
from exobridge.replay.live import Target, replay_live
from exobridge.replay.report import ReplayReport
from exobridge.replay.script import ReplayError
from exobridge.simulator import CallPlan, Exotel, Say
from exobridge.wire import Closed, Recording, Side, read_wire, wire_recorder
from tests.process import run
from tests.replay.kept import Call, webhook
from tests.server import LINE, QUICK, Server, bot, serving, until

SECRET = "a-secret-of-the-tests"
ONE, OTHER = "+918047112233", "+918047112244"
LONGER = "This greeting is a good deal longer than the one that was there before it, is it not?"


@asynccontextmanager
async def two_bots(folder: Path) -> AsyncGenerator[Server]:
    """A server that keeps the wire, with a bot on each of two numbers."""
    async with serving(
        folder,
        {"default": bot(), "other": bot(greeting=LONGER)},
        EXOTEL_NUMBERS=f"{ONE}=default,{OTHER}=other",
        EXOBRIDGE_WIRE_DIR=str(folder / "wire"),
        EXOBRIDGE_SECRET=SECRET,
    ) as server:
        yield server


async def a_kept_call(server: Server, folder: Path) -> Path:
    """Of the first number."""
    plan = CallPlan(
        url=server.url,
        script=(Say(LINE),),
        called=ONE,
        patience=QUICK,
        auth_token=SECRET,
        call_sid="kept",
    )
    keeping = wire_recorder(folder / "exotel", Side.EXOTEL, time.time)
    async with keeping as wire, Exotel(wire=wire) as exotel:
        report = await exotel.call(plan)
    assert report.went_well, report.problems
    await server.until_over("kept")
    path = folder / "wire" / "kept.wire.gz"
    await until(lambda: path.exists() and is_whole(read_wire(path)))  # written once a second
    return path


def is_whole(recording: Recording) -> bool:
    """Its stream's end is there."""
    return any(stream.closed for stream in recording.streams)


async def played(recording: Recording, target: Target) -> ReplayReport:
    """What comes of it."""
    async with asyncio.timeout(30):
        return await replay_live(recording, target, lambda _: None)


def both_sides_kept_the_same(ours: Recording, theirs: Recording) -> None:
    """The frames and the questions, as far as one that hangs up can see."""
    assert [ours.header.kept_by, theirs.header.kept_by] == [Side.SERVER, Side.EXOTEL]
    (here,), (there,) = ours.streams, theirs.streams
    for side in Side:
        sent, came = here.by(side), there.by(side)
        assert [frame.text for frame in sent][: len(came)] == [frame.text for frame in came]
    assert len(here.by(Side.EXOTEL)) == len(there.by(Side.EXOTEL))
    (asked,), (was_asked,) = theirs.webhooks, ours.webhooks
    assert (asked.path, dict(asked.parameters), asked.status, asked.body) == (
        was_asked.path,
        dict(was_asked.parameters),
        was_asked.status,
        was_asked.body,
    )


async def test_a_call_is_played_again(tmp_path: Path) -> None:
    """At the same bot nothing differs, and the command says so; at another one the greeting's
    length does. The server sees new ids each time."""
    async with two_bots(tmp_path) as server:
        path = await a_kept_call(server, tmp_path)
        both_sides_kept_the_same(read_wire(path), read_wire(tmp_path / "exotel" / "kept.wire.gz"))
        options = ["--url", server.url, "--auth-token", SECRET, "--to", ONE, "--json"]
        status, out, err = await run(tmp_path, "replay", str(path), *options)
        report = json.loads(out)
        assert (status, report["same"], report["differences"]) == (0, True, []), err
        (stream,) = report["streams"]
        assert stream["now"]["marks"] == stream["then"]["marks"] == 2
        assert "nothing differs" in err
        call = await server.kept(report["call_sid"])
        assert (call.called, call.caller) == (ONE, "+919000000233")

        other = await played(read_wire(path), Target(server.url, SECRET, called=OTHER))
        found = {each.what for each in other.differences}
        assert "span 1 of the bot's audio: length" in found
        assert other.call_sid not in ("kept", report["call_sid"])
        assert (await server.kept(other.call_sid)).template == "other"


async def test_what_was_asked_is_asked_again(tmp_path: Path) -> None:
    """Before the stream, while it runs, and after; an answer that is another one is shown."""
    callback = webhook(400.0, "/exotel/callback/status/***", '{"status":"ok"}', method="POST")
    hooks = [
        webhook(-1.0, "/exotel/answer/***", '{"url":"wss://bot.example.com/exotel/stream/***"}'),
        webhook(0.2, "/exotel/passthru", "", content_type="text/plain; charset=utf-8"),
        callback,
    ]
    recording = read_wire(Call(400).write(tmp_path / "file", hooks))
    async with two_bots(tmp_path) as server:
        report = await played(recording, Target(server.url, SECRET, called=ONE))
        asked = [
            (entry["endpoint"], entry["call_sid"])
            for entry in server.log("webhook")
            if entry["status"] != 403
        ]
    sid = report.call_sid
    assert asked == [
        ("/exotel/answer", sid),
        ("/exotel/passthru", sid),
        ("/exotel/callback/status", sid),
    ]
    answers = [each for each in report.differences if each.where.endswith("answer/***")]
    assert answers == []
    assert any(each.where == "POST /exotel/callback/status/***" for each in report.differences)


async def test_a_server_that_does_not_take_it(tmp_path: Path) -> None:
    """Is a difference, for each thing that was asked."""
    hooks = [webhook(-1.0, "/exotel/answer", '{"url":"wss://bot.example.com/exotel/stream/***"}')]
    recording = read_wire(Call(200).write(tmp_path / "file", hooks))
    async with two_bots(tmp_path) as server:
        report = await played(recording, Target(server.url, "wrong"))
    found = {(each.where, each.what, each.then, each.now) for each in report.differences}
    assert ("GET /exotel/answer", "status", "200", "403") in found
    assert ("stream 1", "opened", "yes", "status 403") in found
    assert report.streams[0].now is None
    nobody = await played(recording, Target("http://127.0.0.1:9"))
    assert ("status", "200", "0") in {
        (each.what, each.then, each.now) for each in nobody.differences
    }


async def test_a_streams_own_url(tmp_path: Path) -> None:
    """Is opened as it is, and nothing is asked; a server that had hung up and does not now is
    listened to for a while longer."""
    hooks = [webhook(-1.0, "/exotel/answer")]
    call = Call(300).bot_speaks(60, 200)
    closed = Closed("s", 300.0, Side.SERVER, 1000)
    recording = read_wire(call.write(tmp_path / "file", hooks, closed))
    limits = {"default": {"max_call_seconds": 1.0}}
    templates = {"default": bot(texts={"too_long": ""})}
    async with serving(tmp_path, templates, limits=limits) as server:
        report = await played(recording, Target(server.stream_url, same_ids=True))
        assert (await server.until_over("call")).streams == 1
    assert report.notes == ("the webhooks were passed over, as the URL is a stream's own",)
    assert report.streams[0].now is not None
    assert str(report.streams[0].now.ended_by) == "server"
    assert "ended by" not in {each.what for each in report.differences}


@pytest.mark.parametrize("url", ["example.com", "ftp://example.com", "http://"])
def test_a_url_that_is_none(url: str) -> None:
    """Is refused before anything is played."""
    with pytest.raises(ReplayError, match="absolute"):
        Target(url)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("missing",), "No such file"),
        (("garbage",), "it is no wire file"),
        (("call", "--offline", "--to", "1"), "does not go with --offline"),
        (("call", "--template", "x"), "needs --offline"),
        (("call", "--url", "nowhere"), "absolute"),
        (("call", "--offline", "--template", "x"), "no such template"),
    ],
)
def test_what_the_command_refuses(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    """With exit status 2, in a line."""
    (tmp_path / "garbage").write_bytes(b"\x1f\x8bgarbage")
    Call(100).write(tmp_path / "call")
    name, *options = arguments
    refused = CliRunner().invoke(app, ["replay", str(tmp_path / name), *options])
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert said in " ".join(refused.stderr.replace("│", " ").split())


async def test_the_command_plays_offline(tmp_path: Path) -> None:
    """With what differs in a table, and exit status 1."""
    call = Call(9000).bot_speaks(60, 6000).speaks(2000, 3000)
    status, out, err = await run(
        tmp_path, "replay", str(call.write(tmp_path / "file")), "--offline"
    )
    assert status == 1, err
    assert "1 clears" in out
    assert "differences" in out
