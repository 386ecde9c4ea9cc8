"""``exobridge call``, in a process of its own, on real sockets."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from exobridge.cli.call import call
from exobridge_codecs.tones import tone
from exobridge_codecs.wav import read_wav, write_wav
from tests.simulator.servers import BotLine, beep, bot_server, http_answer, http_server

RUN = "import typer; from exobridge.cli.call import call; typer.run(call)"


async def run(*arguments: str) -> tuple[int, str, str]:
    """Exit status, standard output and standard error."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "ignore", "-c", RUN, *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def greet_and_leave(line: BotLine) -> None:
    """Greets, answers one line's first sound 900 ms later, and hangs up."""
    await line.play(beep(200))
    await line.send("mark", mark={"name": "greeted"})
    await line.next("mark")
    for _ in range(80):
        await line.next("media")
    await line.play(beep(200))
    await line.send("mark", mark={"name": "bye"})
    await line.next("mark")
    await line.socket.close(1000)


async def test_a_good_call_is_0_and_json_alone_is_on_stdout(tmp_path: Path) -> None:
    """The report can be piped; the recording is where it was asked for."""
    said, heard = tmp_path / "said.wav", tmp_path / "heard.wav"
    write_wav(said, 16000, tone(300, 300, 16000))
    async with bot_server(greet_and_leave) as url:
        status, out, err = await run(
            *("--url", url, "--audio", str(said), "--json", "--out", str(heard)),
            *("--no-transcribe", "--encoding", "mulaw", "--param", "lang=hi"),
        )
    report = json.loads(out)
    assert status == 0, err
    assert report["ended_by"] == "bot"
    assert report["encoding"] == "mulaw"
    assert report["recording"] == str(heard)
    assert report["notes"] == ["what the bot said was not written down"]
    assert [turn["role"] for turn in report["turns"]] == ["bot", "caller", "bot"]
    assert "stream open" in err
    wav = read_wav(heard)
    assert (wav.sample_rate, len(wav.channels)) == (8000, 2)


async def test_a_refused_call_is_1_and_says_why() -> None:
    """The reason is on the terminal; the token is not."""
    async with http_server(http_answer("302 Found", b"")) as (url, asked):
        status, out, _ = await run(
            *("--url", f"{url}/own?x=1", "--auth-token", "secret-token", "--no-transcribe"),
            *("--outgoing", "--from", "098", "--call-sid", "known-1"),
        )
    assert status == 1
    assert "refused" in out
    assert "secret-token" not in out
    assert asked[0].startswith("GET /own?x=1&")
    assert "auth_token=secret-token" in asked[0]
    assert "&CallTo=098&" in asked[0]
    assert "CallSid=known-1&" in asked[0]
    assert "&Direction=outbound-dial&" in asked[0]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--url", "ftp://x"],
        ["--sample-rate", "11025"],
        ["--encoding", "mulaw", "--sample-rate", "16000"],
        ["--dtmf", "x"],
        ["--param", "k"],
        ["--audio", "no-such.wav"],
        ["--out", "no-such-directory/x.wav"],
        ["--no-such-option"],
    ],
)
def test_what_cannot_be_is_2(arguments: list[str]) -> None:
    """Nothing is called, and the reason is on the standard error."""
    app = typer.Typer()
    app.command()(call)
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr
