"""Each use that the page describes works as it stands there: its very templates, on a server, asked
over HTTP, with an application behind the look-ups."""

from __future__ import annotations

import re
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from exobridge.call.events import Decision
from exobridge.exotel.messages import Started
from exobridge_providers.testing.fake_http import FakeHttp, Reply
from tests.routing.asking import CALLER, EXOPHONE, HINDI_PHONE, REGULAR, VIP, asked, replied, write
from tests.server import Server, http_client, serving, until
from tests.test_docs_pages import blocks, page

SECTIONS = {
    part.partition("\n")[0]: part
    for part in re.split(r"^## ", page("how-to/routing.md"), flags=re.M)
}
NUMBERS = "+918047112233={},+918047112244={}"
NAMED = re.compile(r"# (?:templates/)?([a-z0-9_]+)\.(toml|py)\n")


@dataclass(slots=True)
class Use:
    """A use from the page, being served."""

    server: Server
    http: httpx.AsyncClient
    crm: FakeHttp

    async def ask(self, path: str, call_sid: str, caller: str = CALLER, **more: str) -> Any:
        """What an applet is answered."""
        return await asked(self.http, path, call_sid, caller, **more)

    async def status(self, path: str, call_sid: str, caller: str = CALLER, **more: str) -> int:
        """The status alone: 200 is branch A, 302 branch B."""
        answer = await self.ask(path, call_sid, caller, **more)
        return int(answer.status_code)

    async def plan(self, call_sid: str, caller: str = CALLER, called: str = EXOPHONE) -> Any:
        """What the stream of a call shall do."""
        started = Started("s1", call_sid, from_number=caller, to_number=called)
        return await self.server.bridge.desk.plan_stream(started)


@asynccontextmanager
async def use(folder: Path, heading: str) -> AsyncGenerator[Use]:
    """Serve what stands below a heading."""
    text = SECTIONS[heading]
    async with FakeHttp().listening() as crm:
        templates: dict[str, str] = {}
        for code in [*blocks(text, "toml"), *blocks(text, "python")]:
            named = NAMED.match(code)
            assert named, "a block without the name of its file"
            code = re.sub(r"https://(crm|shop)\.example\.com", crm.url, code)
            if named[2] == "toml":
                templates[named[1]] = code
            else:
                (folder / f"{named[1]}.py").write_text(code, "utf-8")
        first = next(iter(templates))
        numbers = NUMBERS.format(first, first)
        async with (
            serving(folder, templates, EXOTEL_NUMBERS=numbers) as server,
            http_client(server.url) as http,
        ):
            ready = (await http.get("/health/ready")).json()
            assert ready["problems"] == []
            yield Use(server, http, crm)


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_TOKEN", "token-of-the-crm")
    monkeypatch.setenv("WEBHOOK_SECRET", "secret-of-the-application")


async def test_vips_go_to_a_human(tmp_path: Path) -> None:
    """Whoever is on the list takes branch B, written in any way and in a file; others get the
    bot."""
    (listed,) = blocks(SECTIONS["VIPs to a human"], "text")
    write(tmp_path, vip=listed)
    async with use(tmp_path, "VIPs to a human") as at:
        assert await at.status("/exotel/answer", "written", VIP) == 302
        assert await at.status("/exotel/answer", "in-file", "+919822233344") == 302
        answer = await at.ask("/exotel/answer", "other")
        assert answer.status_code == 200
        assert answer.json()["url"].startswith("ws://")
        call = await at.server.kept("written")
        assert (call.decision, call.reason, call.routed.rule) == (
            Decision.REFUSE,
            "routed",
            "vip",
        )


async def test_chained_passthrus_know_three_ways(tmp_path: Path) -> None:
    """The list needs no look-up; the CRM is asked once for a call, with its header; strangers and
    callers whom it does not know take the last branch."""
    write(tmp_path, vip=VIP)
    async with use(tmp_path, "VIP, regular, unknown, by chained Passthrus") as at:
        at.crm.replies["/caller"] = [
            replied({"tier": "gold", "name": "Asha"}),
            replied({"tier": "vip"}),
            Reply(404),
            replied({"tier": "none"}),
        ]
        ways: dict[str, list[int]] = {}
        for call_sid, caller in (
            ("listed", VIP),
            ("gold", REGULAR),
            ("crm-vip", CALLER),
            ("nobody", CALLER),
            ("none", CALLER),
        ):
            ways[call_sid] = [
                await at.status("/exotel/passthru", call_sid, caller, rule=rule)
                for rule in ("vip", "regular")
            ]
        assert ways == {
            "listed": [200, 302],
            "gold": [302, 200],
            "crm-vip": [200, 302],
            "nobody": [302, 302],
            "none": [302, 302],
        }
        assert [r.headers["authorization"] for r in at.crm.received] == [
            "Bearer token-of-the-crm"
        ] * 4
        assert at.crm.received[0].json() == {
            "version": 1,
            "event": "lookup",
            "call": {
                "sid": "gold",
                "caller": "+919811122244",
                "called": "+918047112233",
                "direction": "incoming",
                "custom_field": "",
            },
            "digits": "",
            "dial_status": "",
        }
        assert await at.status("/exotel/answer", "gold", REGULAR) == 200
        assert len(at.crm.received) == 4
        assert (await at.plan("gold", REGULAR)).opening() == ("", "Hello Asha. How can I help?")


async def test_an_applets_name_knows_as_many_ways(tmp_path: Path) -> None:
    """The body names the applet, by list, by CRM, for strangers and where the CRM is down; the
    Voicebot behind it still gets its stream."""
    write(tmp_path, vip=VIP)
    async with use(tmp_path, "The same by an applet's name") as at:
        at.crm.replies["/caller"] = [replied({"known": True}), replied({}), Reply(500)]
        bodies = [
            (await at.ask("/exotel/passthru", call_sid, caller)).text
            for call_sid, caller in (
                ("vip", VIP),
                ("known", REGULAR),
                ("new", CALLER),
                ("down", CALLER),
            )
        ]
        assert bodies == ["vip-connect", "bot", "queue", "queue"]
        assert "url" in (await at.ask("/exotel/answer", "known", REGULAR)).json()


async def test_the_bot_knows_three_kinds_of_callers(tmp_path: Path) -> None:
    """A VIP gets another template; a regular is greeted by name; a stranger as ever."""
    write(tmp_path, vip=VIP)
    async with use(tmp_path, "The same inside the bot") as at:
        at.crm.replies["/caller"] = [
            replied({"known": True, "name": "Ravi {x}", "points": 12}),
            Reply(404),
        ]
        for call_sid, caller in (("vip", VIP), ("regular", REGULAR), ("new", CALLER)):
            assert await at.status("/exotel/answer", call_sid, caller) == 200
        vip, regular, new = [
            await at.plan(call_sid, caller)
            for call_sid, caller in (("vip", VIP), ("regular", REGULAR), ("new", CALLER))
        ]
        assert vip.template_name == "concierge"
        assert vip.opening()[1] == "Good day. Your personal assistant speaks."
        assert vip.variables()["tier"] == "vip"
        assert regular.opening()[1] == "Welcome back, Ravi {x}. What can I do for you?"
        assert (regular.variables()["tier"], regular.variables()["points"]) == ("regular", "12")
        assert new.template_name == "reception"
        assert new.variables()["tier"] == "unknown"


async def test_keys_tell_an_orders_status(tmp_path: Path) -> None:
    """As the text of a Greeting applet, or as the bot's first words; each in its own way where the
    order is not found, the keys make no number, none were pressed, or the shop is down."""
    async with use(tmp_path, "Order status from keys") as at:
        at.crm.replies["/order"] = [
            replied({"found": True, "status": "on its way"}),
            Reply(404),
            replied({"found": True, "text": "Ask at the desk."}),
            Reply(503),
            replied({"found": True, "status": "packed"}),
        ]
        texts: list[str] = []
        for call_sid, digits in (
            ("found", '"123456"'),
            ("missing", '"654321"'),
            ("worded", '"111111"'),
            ("down", '"222222"'),
            ("short", '"12"'),
            ("none", "null"),
        ):
            answer = await at.ask("/exotel/greeting", call_sid, digits=digits)
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "text/plain; charset=utf-8"
            texts.append(answer.text)
        assert texts == [
            "Your order 1 2 3 4 5 6 is on its way.",
            "There is no order 6 5 4 3 2 1.",
            "Ask at the desk.",
            "I cannot look into our books at the moment. Please hold the line.",
            "There is no order 1 2.",
            "I did not get an order number.",
        ]
        first = at.crm.received[0]
        query = dict(httpx.URL(first.path).params)
        assert (first.method, query["digits"], query["caller"]) == (
            "GET",
            "123456",
            "+919811122200",
        )
        assert await at.status("/exotel/answer", "spoken", digits='"123456"') == 200
        assert (await at.plan("spoken")).opening()[1] == "Your order 123456 is packed."


async def test_the_hours_choose_the_branch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a day that the template has no hours for it is branch B, and the answer refuses; where it
    is open, branch A."""
    text = SECTIONS["Business hours"]
    (code,) = blocks(text, "toml")
    always = re.sub(r'^[a-z]{3} = \["09:00-18:00"\]$', "", code, flags=re.M)
    days = "\n".join(
        f'{day} = ["00:00-24:00"]' for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    )
    always = always.replace("[hours]\n", f"[hours]\n{days}\n").replace('["2026-01-26"]', "[]")
    never = always.replace("00:00-24:00", "00:00-00:01").replace(
        "[hours]\n", '[hours]\ntimezone = "Pacific/Kiritimati"\n'
    )
    numbers = "+918047112233=open,+918047112244=shut"
    templates = {"open": always, "shut": never}
    async with (
        serving(tmp_path, templates, EXOTEL_NUMBERS=numbers) as server,
        http_client(server.url) as http,
    ):
        at = Use(server, http, FakeHttp())
        assert await at.status("/exotel/passthru", "open") == 200
        shut = await asked(http, "/exotel/passthru", "shut", called=HINDI_PHONE)
        assert shut.status_code == 302
        refused = await asked(http, "/exotel/answer", "shut", called=HINDI_PHONE)
        assert (refused.status_code, refused.json()["error"]) == (302, "closed")


async def test_the_number_tells_the_language(tmp_path: Path) -> None:
    """By the number called, by a landline's state, by a list; the greeting is in that language, and
    a mobile from anywhere is English."""
    write(tmp_path, tamil=f"{REGULAR}\n")
    async with use(tmp_path, "Language by number or region") as at:
        spoken: dict[str, tuple[str, str]] = {}
        for call_sid, caller, called in (
            ("hindi-number", CALLER, HINDI_PHONE),
            ("delhi", "01123456789", EXOPHONE),
            ("listed", REGULAR, EXOPHONE),
            ("chennai", "04428123456", EXOPHONE),
            ("mobile", CALLER, EXOPHONE),
        ):
            answer = await asked(at.http, "/exotel/answer", call_sid, caller, called)
            assert answer.status_code == 200
            plan = await at.plan(call_sid, caller, called)
            spoken[call_sid] = plan.first_language, plan.opening()[1].split(".")[0].split("।")[0]
        assert spoken == {
            "hindi-number": ("hi-IN", "नमस्ते"),
            "delhi": ("hi-IN", "नमस्ते"),
            "listed": ("ta-IN", "வணக்கம்"),
            "chennai": ("ta-IN", "வணக்கம்"),
            "mobile": ("en-IN", "Hello"),
        }


async def test_calls_are_logged_afterwards(tmp_path: Path) -> None:
    """The answer does not wait; each fact comes signed, is sent again where it was not taken, and
    keeps its id."""
    async with use(tmp_path, "Call logging") as at:
        at.crm.replies["/calls"] = [Reply(200)]
        assert await at.status("/exotel/answer", "logged") == 200
        assert await at.status("/exotel/passthru", "logged", DialCallStatus="busy") == 200
        await until(lambda: len(at.crm.received) == 2)
        told = {str(r.json()["event"]): r for r in at.crm.received}  # type: ignore[index]  # JSON
        answer: Any = told["answer"].json()
        assert answer["call"] == {
            "sid": "logged",
            "template": "reception",
            "caller": "+919811122200",
            "called": "+918047112233",
            "direction": "incoming",
        }
        assert answer["data"]["decision"] == "accept"
        assert told["answer"].headers["webhook-signature"].startswith("v1,")
        passthru: Any = told["passthru"].json()
        assert passthru["data"]["dial_status"] == "busy"


async def test_a_function_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whom it knows it sends to another template with words of its own; others take branch B."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    try:
        async with use(tmp_path, "Anything else, in Python") as at:
            assert await at.status("/exotel/answer", "known", VIP) == 200
            plan = await at.plan("known", VIP)
            assert (plan.template_name, plan.opening()[1]) == ("concierge", "Welcome, Asha.")
            assert plan.variables()["name"] == "Asha"
            assert await at.status("/exotel/answer", "other") == 302
    finally:
        sys.modules.pop("my_rules", None)
