"""What ``exobridge simulate`` and ``doctor --against`` refuse, and how they read their options."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from typer.testing import CliRunner

from exobridge.cli.main import app
from exobridge.cli.simulate_ground import secrets, surroundings
from exobridge.cli.simulate_plan import Job, Options, address, given_urls, read_jobs, seeds
from exobridge.errors import ConfigError
from exobridge.simulator import CallPlan, HangUp
from exobridge.simulator.flows.conformance import Urls, conformance
from tests.simulator.servers import BotLine, bot_server

FLOW = '[flow]\nstart = "end"\n[applet.end]\ntype = "hangup"\n'


@pytest.fixture
def flow(tmp_path: Path) -> str:
    """The path of a flow that ends at once."""
    file = tmp_path / "flow.toml"
    file.write_text(FLOW)
    return str(file)


@pytest.mark.parametrize(
    "options",
    [
        ["--answer-url", "http://127.0.0.1:1/x"],
        ["--url", "ws://127.0.0.1:1/x"],
        ["--url", "nonsense"],
        ["--serve", "--url", "http://127.0.0.1:1"],
        ["--listen"],
        ["--listen", "--api", "127.0.0.1:0", "--faults", "1"],
        ["--rate", "2"],
        ["--data", "folder"],
        ["--serve", "--data", "/dev/null/folder"],
        ["--calls", "2", "--repeat", "2"],
        ["--calls", "2", "--html", "page.html"],
        ["--faults", "1..2", "--html", "page.html"],
        ["--html", "not-there/page.html"],
        ["--faults", "2..1"],
        ["--faults", "some"],
        ["--api", "nonsense"],
        ["--to", "nobody"],
        ["--calls", "0"],
    ],
)
def test_what_does_not_go_together_is_2(options: list[str], flow: str) -> None:
    """Told on the standard error, before anything is called."""
    result = CliRunner().invoke(app, ["simulate", flow, *options])
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    assert result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--dial-up-url", "/a/path/of/no/server"],
        ["not-there.toml"],
    ],
)
def test_without_anything_to_try_it_is_2(arguments: list[str]) -> None:
    """The message says what to give."""
    result = CliRunner().invoke(app, ["simulate", *arguments])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr


def test_a_flow_that_is_wrong_is_told_with_its_line(tmp_path: Path) -> None:
    """All files are read before any is walked."""
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text(FLOW)
    bad.write_text(FLOW.replace('"end"', '"nowhere"', 1))
    result = CliRunner().invoke(app, ["simulate", str(good), str(bad)])
    assert result.exit_code == 2
    assert f"{bad}, line 2" in result.stderr
    assert str(good) not in result.stderr


@pytest.mark.parametrize(
    "options",
    [
        ["--to", "08047112233"],
        ["--dial-up-url", "http://127.0.0.1:1/x"],
        ["--against", "http://127.0.0.1:1", "--online"],
        ["--against", "http://127.0.0.1:1", "--fast"],
        ["--against", "nonsense"],
        ["--against", "ws://127.0.0.1:1", "--callback-url", "/path"],
    ],
)
def test_the_doctor_is_for_this_installation_or_for_a_server(options: list[str]) -> None:
    """Options of one do not go with the other."""
    result = CliRunner().invoke(app, ["doctor", *options])
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    assert result.stderr


def test_the_command_line_takes_the_place_of_the_files_keys(flow: str) -> None:
    """The rest stays as the file says."""
    [job] = read_jobs([Path(flow)], {"to": "0804", "from": "0981"}, "https://bot", Urls())
    assert (job.flow.call.to, job.flow.call.caller, job.flow.server.url) == (
        *("0804", "0981"),
        "https://bot",
    )
    assert job.flow.call.direction == "incoming"
    [job] = read_jobs([Path(flow)], {}, "", Urls(), {"voice": "espeak"})
    assert (job.flow.speech.voice, job.flow.speech.ears) == ("espeak", "moonshine")
    with pytest.raises(ConfigError, match="command line"):
        read_jobs([Path(flow)], {"to": "nobody"}, "", Urls())


def test_all_that_is_wrong_with_several_flows_is_told_at_once(tmp_path: Path) -> None:
    """Each problem of each file is one of its own; a flow is called a flow."""
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(FLOW + "[call]\nto = 'nobody'\ncolour = 1\n")
    with pytest.raises(ConfigError) as raised:
        read_jobs([tmp_path], {}, "", Urls())
    told = [str(each) for each in (raised.value, *raised.value.also)]
    assert [each.partition("\n")[0].split("/")[-1][:6] for each in told] == ["a.toml"] * 2 + [
        "b.toml"
    ] * 2
    with pytest.raises(ConfigError, match="a flow or a folder of flows"):
        read_jobs([tmp_path / "none.toml"], {}, "", Urls())


def test_the_secrets_of_the_servers_that_are_started_are_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of each flow, as its server will have it; without --serve the files' are nobody's."""
    monkeypatch.delenv("EXOBRIDGE_SECRET", raising=False)

    def job(secret: str) -> Job:
        flow = conformance(Urls(passthru="http://127.0.0.1/x"), speaks=False)
        table = flow.serve.model_copy(update={"environment": {"EXOBRIDGE_SECRET": secret}})
        return Job(None, flow.model_copy(update={"serve": table}))

    jobs = [job("first-secret"), job("second-secret"), job("")]
    assert secrets(jobs, Options(serve=True)) == {"first-secret", "second-secret"}
    assert secrets(jobs, Options(auth_token="given")) == {"given"}
    monkeypatch.setenv("EXOBRIDGE_SECRET", "own")
    assert secrets(jobs, Options(serve=True)) == {"own"}


async def test_an_address_that_is_taken_is_named() -> None:
    """With what to do about it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"127.0.0.1:{port}: address already in use.*--api"):
            async with surroundings([], Options(api=("127.0.0.1", port)), Console(quiet=True)):
                pass


async def test_streams_are_of_the_account_that_is_served() -> None:
    """So that a server can check them against the account that it was told of."""
    seen: list[str] = []

    async def bot(line: BotLine) -> None:
        seen.append(line.start["start"]["account_sid"])
        await line.socket.close(1000)

    options = Options(api=("127.0.0.1", 0))
    async with bot_server(bot) as url, surroundings([], options, Console(quiet=True)) as around:
        assert around.account is not None
        await around.exotel.call(CallPlan(url=url, script=(HangUp(),)))
        assert seen == [around.account.sid]


def test_paths_count_from_the_url() -> None:
    """A whole URL stays; what has none to count from is refused."""
    more = Urls(dial_up="/dial", callback="https://other/status")
    assert given_urls("https://bot:1/own", more) == (
        "https://bot:1/own",
        Urls("https://bot:1/own", "", "https://bot:1/dial", "https://other/status"),
    )
    with pytest.raises(typer.BadParameter):
        given_urls("ws://bot:1/own", more)


def test_a_failed_call_tells_how_to_place_it_again() -> None:
    """With its seed, and without the secret."""
    flow = conformance(Urls(answer="ws://bot"), speaks=False)
    options = Options(auth_token="a-secret", seeds=range(1, 9), typed=("--url", "http://bot?a b"))
    told = options.again(Job(Path("a flow.toml"), flow), 7)
    assert told == (
        "exobridge simulate 'a flow.toml' --faults 7 --url 'http://bot?a b'"
        ' --auth-token "$EXOBRIDGE_SECRET"'
    )


def test_seeds_and_addresses_are_read() -> None:
    """Both ends of a range are in it; a port alone is this machine's."""
    assert (seeds("7"), seeds("1..50"), seeds("3..3")) == (range(7, 8), range(1, 51), range(3, 4))
    assert address("8090") == ("127.0.0.1", 8090)
    assert address("0.0.0.0:0") == ("0.0.0.0", 0)
    assert address("[::1]:8090") == ("::1", 8090)


@given(st.text())
def test_whatever_is_written_it_is_read_or_refused(text: str) -> None:
    """Nothing else is raised."""
    with suppress(typer.BadParameter):
        seeds(text)
    with suppress(typer.BadParameter):
        address(text)
    with suppress(typer.BadParameter):
        given_urls(text, Urls(dial_up=text))
