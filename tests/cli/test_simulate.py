"""``exobridge simulate`` as a command, against servers that run."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import signal
from pathlib import Path
from typing import Any, cast

import pytest
from rich.console import Console

from exobridge.cli.simulate_plan import Job, Options
from exobridge.cli.simulate_session import Run, Session
from exobridge.simulator.flows.conformance import Urls, conformance
from exobridge.simulator.flows.crowd import Crowd
from exobridge.simulator.flows.report import Asked, Dialled, Ending, FlowReport, What
from exobridge.simulator.rules import Rule, Violation
from exobridge.simulator.timeline import Entry, Kind, Party
from tests.process import run, spawn
from tests.server import bot, http_client, serving
from tests.simulator.flows.ground import Given, ground

FLOWS = Path(__file__).parent / "flows"
SHORT = str(FLOWS / "short.toml")
QUIET = ("--no-transcribe", "--no-chart")

DESK = bot(
    dialogue={
        "options": {
            "script": [
                [{"text": "One moment."}, {"target": "desk", "summary": "A pair of shoes."}],
                [{"text": "Let me see."}],
            ]
        }
    },
    transfer={
        "target": "desk",
        "whisper": "text",
        "targets": {"desk": {"numbers": ["+918041112233", "+918041112244"]}},
    },
)


async def test_one_command_runs_a_whole_story(tmp_path: Path) -> None:
    """It starts the server, kills it in the middle, plays the call through the flow, draws what
    each side did, and leaves nothing behind."""
    shutil.copy(FLOWS / "handed-over.toml", tmp_path)
    for name in ("desk", "tmp"):
        (tmp_path / name).mkdir()
    (tmp_path / "desk" / "default.toml").write_text(DESK)
    options = ("--serve", "--no-transcribe", "--html", "page.html")
    status, out, err = await run(
        tmp_path, "simulate", "handed-over.toml", *options, TMPDIR=str(tmp_path / "tmp")
    )
    assert (status, err) == (0, ""), out
    assert "the server is killed after the stream" in out
    assert "path: bot → is-pending → dial → end; ended: completed" in out
    assert "dialled +918041112233: busy" in out
    assert 'heard "A pair of shoes."' in out
    assert "  time/s  caller  Exotel  server  agent" in out.splitlines()
    assert out.splitlines()[-1].startswith("passed in ")
    assert "handed-over.toml" in (tmp_path / "page.html").read_text("utf-8")
    assert not list((tmp_path / "tmp").iterdir())
    url = re.search(r"answers at http://127.0.0.1:(\d+)", out)
    assert url
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", int(url[1]))


WAITING = """
[flow]
start = "asks"
[applet.asks]
type = "passthru"
url = "/answer"
ok = "end"
other = "waits"
[applet.waits]
type = "gather"
text = "Press a key."
timeout_seconds = 60
[applet.end]
type = "hangup"
"""
"""A call that waits for its caller."""


async def test_calls_against_a_server_that_runs(tmp_path: Path) -> None:
    """Many at once, with faults, and as the API is asked for them: the same flow each time."""
    async with serving(tmp_path, {"default": bot()}) as server:
        at = ("--url", server.url, *QUIET)
        crowd, faulty, listened = await asyncio.gather(
            run(tmp_path, "simulate", SHORT, *at, "--calls", "6", "--rate", "10", "--json"),
            run(tmp_path, "simulate", SHORT, *at, "--faults", "3..4", "--json"),
            listening(tmp_path, server.url),
        )
        callers = {call.caller for call in await server.bridge.store.calls(50)}

    status, out, err = crowd
    assert status == 0, err
    [told] = json.loads(out)["crowds"]
    assert (told["calls"], told["well"], told["endings"]) == (6, 6, {"caller": 6})
    assert {"answer", "handshake", "greeting", "callback"} <= set(told["figures_ms"])
    assert told["figures_ms"]["greeting"]["count"] == 6
    assert "6 of 6 calls went well" in err
    assert {f"+9198111222{end}" for end in range(33, 39)} <= callers

    _, out, err = faulty
    told = json.loads(out)
    assert [each["call"]["seed"] for each in told["runs"]] == [3, 4]
    for each in told["runs"]:
        again = f"exobridge simulate {SHORT} --faults {each['call']['seed']} --url {server.url}"
        assert each["again"] == ("" if each["passed"] else again)
        assert not each["again"] or each["again"] in err

    status, out, err = listened
    assert status == 0, err
    [one] = json.loads(out)["runs"]
    assert (one["flow"], one["call"]["ending"]) == (SHORT, "caller")


async def listening(folder: Path, url: str) -> tuple[int, str, str]:
    """A simulator that waits for one call; it is asked for one."""
    options = ("--api", "127.0.0.1:0", "--listen", "--calls", "1", "--json", *QUIET)
    process = await spawn(folder, ("simulate", SHORT, "--url", url, *options), {})
    assert process.stderr is not None
    told = ""
    while not (found := re.search(r"waiting for POST (\S+)", told)):
        line = await asyncio.wait_for(process.stderr.readline(), 30)
        assert line, told
        told += line.decode()
    key, token = (_value(told, name) for name in ("EXOTEL_API_KEY", "EXOTEL_API_TOKEN"))
    form = {
        "From": "09811122299",
        "CallerId": "08047112233",
        "CallType": "trans",
        "Url": "http://my.exotel.com/acme1/exoml/start_voice/926",
    }
    async with http_client() as http:
        unknown = form | {"Url": form["Url"] + "0"}
        refused = await http.post(found[1], data=unknown, auth=(key, token))
        assert refused.status_code == 404
        placed = await http.post(found[1], data=form, auth=(key, token))
        assert placed.status_code == 200
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    report = json.loads(out)
    assert report["runs"][0]["call"]["call_sid"] == placed.json()["Call"]["Sid"]
    return process.returncode, out.decode(), told + err.decode()


def _value(text: str, name: str) -> str:
    found = re.search(rf"{name}=(\S+)", text)
    assert found, text
    return found[1]


async def test_ctrl_c_ends_the_call_and_it_is_still_reported(tmp_path: Path) -> None:
    """With its own exit status."""
    async with ground(answer=Given(status=302)) as server:
        file = tmp_path / "flow.toml"
        file.write_text(WAITING)
        options = (str(file), "--url", server.url, "--json", *QUIET)
        process = await spawn(tmp_path, ("simulate", *options), {})
        while not server.seen:
            assert process.returncode is None
            await asyncio.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 130, err
    told = json.loads(out)
    assert (told["interrupted"], told["passed"]) == (True, False)
    assert told["runs"][0]["call"]["ending"] == "caller"


async def test_a_server_that_breaks_rules_is_1_with_their_names(tmp_path: Path) -> None:
    """Nothing but URLs was given; a flow is made of them, in their order."""
    async with ground(dial=Given("nobody", kind="text/html"), status=Given(status=500)) as server:
        options = ("--dial-up-url", f"{server.url}/dial", "--callback-url", f"{server.url}/status")
        status, out, err = await run(tmp_path, "simulate", *options, *QUIET)
        first, *others = [each.path for each in server.seen]
        assert (first, set(others)) == ("/dial", {"/status"})
    assert (status, err) == (1, "")
    assert "dial-type" in out
    assert "callback-status" in out
    assert out.splitlines()[-1].startswith("failed in ")


def test_the_commands_page_has_every_key_of_the_json() -> None:
    """None is missing and none is made up."""
    page = Path(__file__).parent.parent.parent / "docs" / "reference" / "commands.md"
    section = page.read_text("utf-8").partition("## `exobridge simulate`")[2].partition("\n## ")[0]
    whole, call = section.split("### A call of `simulate`")
    assert keys(whole) == set(flat(session())) - {f"runs[].call.{key}" for key in keys(call)}
    assert keys(call) == set(flat(report().to_json()))


def keys(text: str) -> set[str]:
    """The first column of the last table, whose rows are keys."""
    table = text.rpartition("| Key | What it says |")[2]
    return set(re.findall(r"^\| `([a-z_.\[\]]+)` \|", table, re.MULTILINE))


def report() -> FlowReport:
    """One with an entry of everything."""
    entry = Entry(0, Party.EXOTEL, Party.SERVER, Kind.REQUEST, "GET")
    return FlowReport(
        "c",
        None,
        Ending.COMPLETED,
        1.0,
        dialled=(Dialled("+91", "busy"),),
        asked=(Asked(What.ANSWER, 0, 1, 200),),
        violations=(Violation(Rule.NOT_JSON, 0),),
        timeline=(entry,),
        problems=("it failed",),
    )


def session() -> dict[str, Any]:
    """The whole, with one of everything."""
    crowd = Crowd(wanted=1)
    crowd.add(report())
    job = Job(None, conformance(Urls(answer="ws://bot"), speaks=False))
    told = Session([job], Options(), chart=False, console=Console())
    told.runs, told.crowds = [Run("f", 1, report())], [(job, crowd)]
    values = told.to_json()
    # These are keyed by what happened.
    values["crowds"][0] |= {"endings": {}, "violations": {}, "figures_ms": {}}
    return values


def flat(value: Any, above: str = "") -> list[str]:
    """The keys of JSON values: ``runs``, ``runs[].flow``."""
    found: list[str] = []
    if isinstance(value, dict):
        for key, inner in cast(dict[str, Any], value).items():
            found += [f"{above}{key}", *flat(inner, f"{above}{key}.")]
    elif isinstance(value, list) and value:
        found += flat(value[0], f"{above.removesuffix('.')}[].")
    return found
