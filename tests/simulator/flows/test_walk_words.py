"""Greeting, Gather and Voicemail: what Exotel itself says to a caller, and hears from them."""

from __future__ import annotations

import asyncio

import pytest

from exobridge.simulator.flows.around import Waits
from exobridge.simulator.flows.report import Ending
from exobridge.simulator.timeline import Kind
from tests.simulator.flows.ground import Given, flow_of, ground, rules, told, walked

GREETING = """
[applet.wrong]
type = "hangup"
[applet.first]
type = "greeting"
url = "/text"
timeout_seconds = 0.5
next = "end"
on_error = "wrong"
"""


async def test_a_greeting_speaks_the_text_of_a_url() -> None:
    """In Hindi, too."""
    async with ground(text=Given("नमस्ते।", kind="text/plain; charset=utf-8")) as server:
        report = await walked(flow_of(GREETING, server.url))
        assert (report.path, report.violations) == (("first", "end"), ())
        assert told(report, Kind.SPEECH) == ["नमस्ते।"]
        assert server.at("/text")[0].told["CallSid"] == report.call_sid


TEXTS: list[tuple[Given, str, list[str]]] = [
    (Given(status=503), "wrong", ["greeting-status"]),
    (Given(delay_s=9), "wrong", ["greeting-timeout"]),
    (Given(""), "wrong", ["greeting-text"]),
    (Given(" … "), "wrong", ["greeting-text"]),
    (Given(b"\xff\xfe"), "wrong", ["greeting-text"]),
    (Given("Hello.", kind="text/html"), "end", ["greeting-type"]),
]
"""What is answered, where it leads, and the rules that it breaks."""


async def test_a_text_that_cannot_be_spoken_is_a_violation() -> None:
    """And leads to the path for errors; without one the flow goes on."""
    async with ground() as server:

        async def leads(number: int, given: Given, way: str, broken: list[str]) -> None:
            server.set(f"/text-{number}", given)
            text = GREETING.replace("/text", f"/text-{number}")
            text = text.replace("0.5", "0.1" if given.delay_s else "5")
            plain = text.replace('on_error = "wrong"', "")
            for each, to in ((text, way), (plain, "end")):
                report = await walked(flow_of(each, server.url))
                assert (report.path, rules(report)) == (("first", to), broken), given

        await asyncio.gather(*(leads(number, *each) for number, each in enumerate(TEXTS)))


MENU = """
[applet.one]
type = "hangup"
[applet.other]
type = "hangup"
[applet.none]
type = "hangup"
[applet.first]
type = "gather"
text = "Press."
max_digits = 2
finish_key = "#"
timeout_seconds = 0.1
branches = { 1 = "one" }
next = "other"
on_timeout = "none"
"""


async def test_keys_lead_to_their_branch() -> None:
    """They end with the key that finishes, with the last that is wanted, or with a pause."""

    async def goes(keys: str | None, way: str, pressed: int) -> None:
        caller = {} if keys is None else {"presses": {"first": [keys]}}
        report = await walked(flow_of(MENU, caller=caller))
        assert report.path == ("first", way)
        assert sum(label.startswith("presses") for label in told(report, Kind.PHONE)) == pressed

    await asyncio.gather(
        goes("1#", "one", 2),
        goes("1", "one", 1),
        goes("475", "other", 2),
        goes("#", "none", 1),
        goes("", "none", 0),
        goes(None, "none", 0),
    )


async def test_a_passthru_is_told_the_keys() -> None:
    """In double quotes; and the second time the menu is entered the second keys."""
    text = MENU.replace('next = "other"', 'next = "tell"').replace('text = "Press."\n', "") + (
        '[applet.tell]\ntype = "passthru"\nurl = "/keys"\nok = "first"\n'
    )
    async with ground(keys=Given()) as server:
        caller = {"presses": {"first": ["47", "1"]}}
        report = await walked(flow_of(text, server.url, caller=caller))
        assert report.path == ("first", "tell", "first", "one")
        assert server.at("/keys")[0].told["digits"] == '"47"'


VOICEMAIL = """
[applet.first]
type = "voicemail"
seconds = 0.4
next = "tell"
[applet.tell]
type = "passthru"
url = "/left"
ok = "end"
"""


async def test_a_passthru_is_told_of_a_voicemail() -> None:
    """Also if the caller hung up behind it, as callers do."""

    async def tells(seconds: float, path: tuple[str, ...], ending: Ending) -> None:
        async with ground(left=Given()) as server:
            caller = {"hangs_up": {"during": "first", "after_seconds": seconds}}
            report = await walked(flow_of(VOICEMAIL, server.url, caller=caller))
            assert (report.path, report.ending) == (path, ending)
            assert server.at("/left")[0].told["CallType"] == "voicemail"

    await asyncio.gather(
        tells(9, ("first", "tell", "end"), Ending.COMPLETED),
        tells(0.05, ("first", "tell"), Ending.CALLER),
    )


CALLBACK = '[applet.first]\ntype = "hangup"\n'


@pytest.mark.parametrize(
    ("content_type", "seen"),
    [
        ("multipart", "multipart/form-data"),
        ("form", "application/x-www-form-urlencoded"),
        ("json", "application/json"),
    ],
)
async def test_the_callback_comes_in_each_content_type(content_type: str, seen: str) -> None:
    """With the call's end in it."""
    async with ground(callback=Given()) as server:
        table = {"url": "/callback", "content_type": content_type}
        report = await walked(flow_of(CALLBACK, server.url, callback=table), auth_token="hush")
        (asked,) = server.at("/callback")
        assert asked.headers["content-type"].partition(";")[0] == seen
        assert (asked.told["CallSid"], asked.told["Status"]) == (report.call_sid, "completed")
        assert asked.told["EventType"] == "terminal"
        assert asked.query == {"auth_token": "hush"}
        assert not report.violations


async def test_the_callback_may_be_repeated_or_missing() -> None:
    """As often as the flow says."""
    for times in (0, 1, 3):
        async with ground(callback=Given()) as server:
            table = {"url": "/callback", "times": times}
            await walked(flow_of(CALLBACK, server.url, callback=table))
            assert len(server.at("/callback")) == times


async def test_the_callback_is_sent_again_if_it_is_not_answered_200() -> None:
    """Twice more at most."""
    async with ground() as server:

        async def tells(name: str, broken: list[str], *answers: Given) -> None:
            server.set(f"/{name}", *answers)
            flow = flow_of(CALLBACK, server.url, callback={"url": f"/{name}"})
            waits = Waits(retry=0.05, callback=0.5 if answers[0].delay_s else 5)
            report = await walked(flow, waits=waits)
            assert rules(report) == broken, name

        await asyncio.gather(
            tells("once", ["callback-status"], Given(status=503), Given()),
            tells("always", ["callback-status"] * 3, Given(status=503)),
            tells("late", ["callback-timeout"] * 3, Given(delay_s=9)),
        )
        asked = [len(server.at(path)) for path in ("/once", "/always", "/late")]
        assert asked == [2, 3, 3]


async def test_events_that_were_asked_for_are_told() -> None:
    """That the call was answered, and its end."""
    async with ground(callback=Given()) as server:
        table = {"url": "/callback", "events": ["answered", "terminal"]}
        await walked(flow_of(CALLBACK, server.url, callback=table))
        kinds = [seen.told["EventType"] for seen in server.at("/callback")]
        assert kinds == ["answered", "terminal"]


async def test_a_late_callback_does_not_make_the_call_longer() -> None:
    """It comes after the call."""
    async with ground(callback=Given()) as server:
        table = {"url": "/callback", "delay_seconds": 0.2}
        report = await walked(flow_of(CALLBACK, server.url, callback=table))
        (asked,) = [entry for entry in report.timeline if entry.kind is Kind.REQUEST]
        assert asked.at_ms >= report.seconds * 1000 + 190
        assert len(server.at("/callback")) == 1
