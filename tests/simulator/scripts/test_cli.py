"""``exobridge call --script``, in a process of its own, on real sockets."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from exobridge.cli.main import app
from exobridge_codecs.tones import tone
from exobridge_codecs.wav import read_wav, write_wav
from tests.process import ROOT
from tests.simulator.scripts.bots import LONG, Bot
from tests.simulator.servers import BotLine, bot_server
from tests.simulator.tone_words import EARS, VOICE

HEAD = f'[call]\nbot_done_ms = 200\n[speech]\nvoice = "{VOICE}"\nears = "{EARS}"\n'
GREETING = HEAD + "[[step]]\nexpect.says = 'hello'\n"


async def start(folder: Path, *arguments: str) -> Process:
    """Start ``exobridge call`` in a folder."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "exobridge", "call", *arguments),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", "COLUMNS": "120"},
        stdout=PIPE,
        stderr=PIPE,
    )


async def run(folder: Path, *arguments: str) -> tuple[int | None, str, str]:
    """Exit status, standard output and standard error."""
    process = await start(folder, *arguments)
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, out.decode(), err.decode()


def write(folder: Path, name: str, text: str) -> None:
    """Write a script."""
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(text, "utf-8")


async def test_a_folder_of_scripts_is_called_and_reported(tmp_path: Path) -> None:
    """Each as often as asked; JSON alone on the standard output, a file for the build server, a
    recording of each call, and status 1 as one of them failed."""
    write(tmp_path, "all/good.toml", GREETING.replace("[call]", '[call]\nencoding = "mulaw"'))
    write(tmp_path, "all/wrong.toml", GREETING + "[expect]\nsays = 'nine'\n")
    async with bot_server(Bot()) as url:
        status, out, err = await run(
            tmp_path,
            *("--script", "all", "--url", url, "--repeat", "2", "--seed", "40", "--json"),
            *("--junit", "found.xml", "--record", "wav"),
        )
    assert status == 1, err
    report = json.loads(out)
    assert (report["passed"], report["interrupted"]) == (False, False)
    results = report["results"]
    assert [(Path(each["script"]).name, each["run"], each["seed"]) for each in results] == [
        *[("good.toml", 1, 40), ("good.toml", 2, 41)],
        *[("wrong.toml", 1, 40), ("wrong.toml", 2, 41)],
    ]
    assert [each["passed"] for each in results] == [True, True, False, False]
    assert results[0]["call"]["encoding"] == "mulaw"
    assert results[2]["expectations"][1] == {
        "step": None,
        "key": "says",
        "wanted": "nine",
        "held": False,
        "found": '"hello"',
    }
    assert "2 of 4 calls passed" in err
    assert "says = nine" in err
    suites = ElementTree.parse(tmp_path / "found.xml").getroot()
    assert [(suite.get("tests"), suite.get("failures")) for suite in suites] == [
        ("2", "0"),
        ("2", "2"),
    ]
    assert 'the call: says = nine: "hello"' in str(suites[1][0][0].text)
    assert {path.name for path in (tmp_path / "wav").iterdir()} == {
        *("good-1.wav", "good-2.wav", "wrong-1.wav", "wrong-2.wav")
    }
    assert len(read_wav(tmp_path / "wav" / "good-1.wav").channels) == 2


async def test_a_bot_that_passes_is_0_and_options_come_before_the_file(tmp_path: Path) -> None:
    """What the command line says of the call takes the place of the file's."""
    heard: list[str] = []

    async def bot(line: BotLine) -> None:
        heard.append(line.start["start"]["from"])
        heard.append(line.start["start"]["to"])
        await Bot()(line)

    head = '[call]\nurl = "ws://127.0.0.1:1"\nfrom = "0123"\nto = "0456"\n'
    write(tmp_path, "one.toml", GREETING.replace("[call]\n", head))
    async with bot_server(bot) as url:
        status, out, err = await run(
            tmp_path, "--script", "one.toml", "--url", url, "--from", "09999900000"
        )
    assert status == 0, out + err
    assert heard == ["09999900000", "0456"]
    assert "passed: 1 of 1 expectations held" in out
    assert "hello" in out


async def test_ctrl_c_ends_the_call_and_reports_it(tmp_path: Path) -> None:
    """The caller hangs up, what there was is judged, the next script is not called; status 130."""
    write(tmp_path, "a.toml", GREETING + "[[step]]\nwait_seconds = 60\n")
    write(tmp_path, "b.toml", GREETING)
    async with bot_server(Bot()) as url:
        process = await start(tmp_path, "--script", ".", "--url", url, "--json")
        assert process.stderr is not None
        while "hello" not in (await asyncio.wait_for(process.stderr.readline(), 30)).decode():
            pass
        process.send_signal(signal.SIGINT)
        out, err = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 130, err.decode()
    report = json.loads(out)
    assert report["interrupted"]
    (result,) = report["results"]
    assert result["call"]["ended_by"] == "caller"
    assert result["expectations"][0]["held"]
    assert "the rest was not placed" in err.decode()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
async def test_ctrl_c_and_sigterm_end_a_plain_call_too(how: int, tmp_path: Path) -> None:
    """The report is printed: a pipeline's time-out takes nothing of it."""
    async with bot_server(Bot(greeting="")) as url:
        process = await start(tmp_path, "--url", url, "--json", "--no-transcribe")
        assert process.stderr is not None
        while b"stream open" not in await asyncio.wait_for(process.stderr.readline(), 30):
            pass
        process.send_signal(how)
        out, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 130
    assert json.loads(out)["outcome"] == "completed"


@pytest.mark.parametrize("scripted", [True, False])
async def test_a_second_ctrl_c_waits_for_nothing(tmp_path: Path, scripted: bool) -> None:
    """Not for a webhook that does not answer: the call is dropped, status 130, no traceback."""
    write(tmp_path, "a.toml", HEAD + "[[step]]\nwait_seconds = 1\n")
    asked = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.read()  # until the caller has gone
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        arguments = ("--script", "a.toml") if scripted else ("--no-transcribe",)
        url = f"http://127.0.0.1:{port}"
        process = await start(tmp_path, *arguments, "--url", url, "--json")
        await asyncio.wait_for(asked.wait(), 30)
        process.send_signal(signal.SIGINT)
        await asyncio.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, err = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, b"Traceback" in err) == (130, False)
    assert out == b"" or json.loads(out) == {"passed": False, "interrupted": True, "results": []}
    assert bool(out) is scripted


async def test_a_line_can_interrupt_the_greeting(tmp_path: Path) -> None:
    """So long after the bot began."""
    write_wav(tmp_path / "stop.wav", 8000, tone(300, 300, 8000))
    async with bot_server(Bot(("bye",), greeting=LONG)) as url:
        status, out, err = await run(
            tmp_path,
            *("--url", url, "--audio", "stop.wav", "--barge-in", "300"),
            *("--json", "--no-transcribe"),
        )
    assert status == 0, err
    report = json.loads(out)
    greeting, line = report["turns"][:2]
    assert line["start_ms"] < greeting["end_ms"]
    assert line["text"] == "stop.wav"
    assert len(report["barge_in_ms"]) == 1
    assert "silent after an interruption in" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--script", "none.toml"], "none.toml: is not there"),
        (["--script", "bad.toml"], "bad.toml, line 2, step 1: sya: there is no such key"),
        (["--script", "wav.toml"], "step 1: play: there is no such file"),
        (["--script", "ok.toml", "--say", "x"], "does not go with --script"),
        (["--script", "ok.toml", "--sample-rate", "11025"], "the command line: sample_rate"),
        (["--script", "ok.toml", "--url", "x"], "the URL must be absolute"),
        (["--script", "ok.toml", "--junit", "no/x.xml"], "there is no directory no"),
        (["--script", "ok.toml", "--script", "ok.toml", "--record", "x"], "have the same name"),
        (["--repeat", "2"], "needs --script"),
        (["--barge-in", "5"], "needs a line to interrupt with"),
    ],
)
def test_what_cannot_be_is_2(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is called, and the reason is on the standard error."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "ok.toml", "[[step]]\nwait_seconds = 1\n")
    write(tmp_path, "bad.toml", "[[step]]\nsya = 'x'\n")
    write(tmp_path, "wav.toml", "[[step]]\nplay = 'x.wav'\n")
    result = CliRunner().invoke(app, ["call", *arguments])
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in " ".join(result.stderr.replace("│", " ").split())


def test_missing_ears_are_told_before_the_first_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what to install."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "a.toml", HEAD + "[[step]]\nwait_seconds = 1\n")
    write(tmp_path, "b.toml", GREETING.replace(EARS, "none-such"))
    result = CliRunner().invoke(app, ["call", "--script", "."])
    assert result.exit_code == 2
    assert "pip install 'exobridge[local]'" in result.stderr
    assert "a.toml" not in result.stdout
