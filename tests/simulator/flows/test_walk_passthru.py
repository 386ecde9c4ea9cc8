"""Passthru applets: what they ask, and where each answer leads."""

from __future__ import annotations

import asyncio

import pytest

from exobridge.simulator.flows.report import Ending
from exobridge.simulator.timeline import Kind, Party
from tests.server import until
from tests.simulator.flows.ground import Given, flow_of, ground, rules, told, walked
from tests.simulator.servers import http_server

WAYS = """
[applet.a]
type = "hangup"
[applet.b]
type = "hangup"
[applet.late]
type = "hangup"
[applet.wrong]
type = "hangup"
[applet.first]
type = "passthru"
url = "/ask"
ok = "a"
other = "b"
on_timeout = "late"
on_error = "wrong"
timeout_seconds = 0.5
"""
ASYNC = """
[applet.a]
type = "hangup"
[applet.first]
type = "passthru"
mode = "async"
ok = "a"
"""
BODIES = WAYS + 'bodies = { vip-connect = "b" }\n'


ANSWERS: list[tuple[Given, str, list[str]]] = [
    (Given(), "a", []),
    (Given({"any": "thing"}), "a", []),
    (Given(status=302), "b", []),
    (Given(status=302, headers={"location": "/elsewhere"}), "b", []),
    (Given(status=500), "wrong", ["passthru-status"]),
    (Given(status=404), "wrong", ["passthru-status"]),
    (Given(status=204), "wrong", ["passthru-status"]),
    (Given(status=307, headers={"location": "/elsewhere"}), "wrong", ["passthru-status"]),
    (Given(delay_s=9), "late", ["passthru-timeout"]),
    (Given("fine, thanks"), "a", ["passthru-body"]),
    (Given(b"\xff\xfe\x00"), "a", ["passthru-body"]),
    (Given("x" * 100_000), "a", ["passthru-body"]),
    (Given("[" * 60_000), "a", ["passthru-body"]),
]
"""What is answered, where it leads, and the rules that it breaks."""


async def test_an_answer_leads_where_exotel_goes() -> None:
    """200, 302, no answer in time, and anything else each have their path; a redirect is none."""
    async with ground() as server:

        async def leads(number: int, given: Given, way: str, broken: list[str]) -> None:
            server.set(f"/ask-{number}", given)
            text = WAYS.replace("/ask", f"/ask-{number}")
            patience = "1" if given.delay_s else "5"
            report = await walked(flow_of(text.replace("0.5", patience), server.url))
            assert (report.path, rules(report)) == (("first", way), broken), given
            assert report.ending is Ending.COMPLETED, given
            assert len(server.at(f"/ask-{number}")) == 1, given

        await asyncio.gather(*(leads(number, *each) for number, each in enumerate(ANSWERS)))
        assert not server.at("/elsewhere")


@pytest.mark.parametrize("body", ["vip-connect", "https://my.exotel.com/exoml/start/vip-connect\n"])
async def test_a_body_names_the_applet(body: str) -> None:
    """By its name, or by the address that Exotel gives it."""
    async with ground(ask=Given(body)) as server:
        report = await walked(flow_of(BODIES, server.url))
        assert report.path == ("first", "b")
        assert not report.violations


async def test_a_body_that_names_an_applet_of_nobody_is_a_violation() -> None:
    """The flow takes its default way."""
    async with ground(ask=Given("vip-disconnect")) as server:
        report = await walked(flow_of(BODIES, server.url))
        assert (report.path, rules(report)) == (("first", "a"), ["passthru-body"])


async def test_the_parameters_are_told_by_get_and_by_post() -> None:
    """A GET has them in its query, a POST in its form; the secret stands in the query of both."""
    for method in ("GET", "POST"):
        async with ground(ask=Given()) as server:
            flow = flow_of(WAYS + f'method = "{method}"\n', server.url)
            report = await walked(flow, auth_token="hush-hush")
            (seen,) = server.at("/ask")
            assert (seen.method, seen.told["CallSid"]) == (method, report.call_sid)
            assert seen.told["CallStatus"] == "in-progress"
            assert seen.query["auth_token"] == "hush-hush"
            assert "hush" not in str(report.to_json())


async def test_a_slow_answer_is_a_warning_and_the_caller_hears_music() -> None:
    """For as long as they wait."""
    async with ground(ask=Given(delay_s=1.05)) as server:
        flow = flow_of(WAYS.replace("= 0.5", "= 5"), server.url)
        report = await walked(flow)
        assert report.path == ("first", "a")
        assert (rules(report), report.errors) == (["passthru-late"], ())
        (music,) = [entry for entry in report.timeline if entry.label == "hold music"]
        assert (music.target, music.detail) == (Party.CALLER, "default_tone")
        assert music.until_ms is not None
        assert music.until_ms - music.at_ms > 1000


async def test_an_async_passthru_does_not_hold_the_call() -> None:
    """The flow goes on at once; the answer is judged all the same."""
    async with ground(ask=Given(status=500, delay_s=0.15)) as server:
        flow = f'{ASYNC}url = "{server.url}/ask"'
        report = await walked(flow_of(flow))
        assert report.path == ("first", "a")
        assert rules(report) == ["passthru-status"]
        answered = [entry.at_ms for entry in report.timeline if entry.kind is Kind.ANSWER]
        entered = [entry.at_ms for entry in report.timeline if entry.kind is Kind.APPLET]
        assert answered[0] > entered[1]


async def test_a_path_that_is_not_connected_drops_the_call() -> None:
    """The report says which."""
    async with ground(ask=Given(status=302)) as server:
        report = await walked(flow_of(WAYS.replace('other = "b"', ""), server.url))
        assert report.ending is Ending.DROPPED
        assert report.unconnected == ("first", "other")
        assert any("302" in problem for problem in report.problems)


@pytest.mark.parametrize(
    "answer", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"]
)
async def test_a_server_that_speaks_no_http_is_a_violation(answer: bytes) -> None:
    """As is one that breaks off."""
    async with http_server(answer) as (url, _):
        report = await walked(flow_of(WAYS, url))
        assert report.path == ("first", "wrong")
        assert rules(report) == ["webhook-unreachable"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://a b", "http://a\x7fb"])
async def test_a_url_that_leads_nowhere_is_a_violation(url: str) -> None:
    """Nothing is raised."""
    report = await walked(flow_of(WAYS.replace('"/ask"', repr(url)), "http://127.0.0.1:1"))
    assert rules(report) == ["webhook-unreachable"]


async def test_an_answer_without_end_is_cut_off() -> None:
    """After as much as an answer can have."""
    endless = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 500_000
    async with http_server(endless) as (url, _):
        report = await walked(flow_of(WAYS, url))
        assert rules(report) == ["passthru-body"]


async def test_the_caller_hangs_up_while_the_server_is_asked() -> None:
    """No further applet is entered, and nothing is said of a caller who is gone."""
    caller = {"hangs_up": {"during": "first", "after_seconds": 0.1}}
    async with ground(ask=Given(delay_s=0.25)) as server:
        flow = flow_of(WAYS.replace("= 0.5", "= 5"), server.url, caller=caller)
        report = await walked(flow)
        assert (report.path, report.ending) == (("first",), Ending.CALLER)
        assert "hangs up" in told(report, Kind.PHONE)
        assert not report.violations


async def test_a_run_that_is_ended_waits_for_nobody() -> None:
    """Not even for the answer to what was just asked."""
    leave = asyncio.Event()
    async with ground(ask=Given(delay_s=20)) as server:
        flow = flow_of(WAYS.replace("= 0.5", "= 20"), server.url, callback={"url": "/callback"})
        walking = asyncio.create_task(walked(flow, leave=leave))
        await until(lambda: bool(server.seen))
        leave.set()
        report = await asyncio.wait_for(walking, 3)
        assert (report.path, report.ending) == (("first",), Ending.CALLER)
        assert not server.at("/callback")


async def test_a_flow_in_circles_comes_to_an_end() -> None:
    """It is a thousand applets long at most."""
    circle = '[applet.first]\ntype = "stream"\nurl = "ws://x/"\naction = "stop"\nnext = "first"\n'
    report = await walked(flow_of(circle))
    assert report.ending is Ending.TIMEOUT
    assert len(report.path) == 1000
    assert any("circles" in note for note in report.notes)
