"""``/exotel/dial-up`` over real sockets: each contract and each attempt."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from exobridge.call import events
from exobridge.call.events import EventKind
from exobridge.call.outcome import Outcome
from exobridge.call.transfer_state import TransferStatus
from exobridge.exotel.connect import Contract
from exobridge.store import Store
from tests.server import bot, until
from tests.web.dialling import (
    ASHA,
    ASK,
    CALLER,
    MEENA,
    NOBODY,
    RAVI,
    SECRET,
    VERSION,
    ask,
    becomes,
    dialling,
    hand_over,
    numbers,
    questions,
    read,
    second_worker,
    transfer,
)


async def test_recordings_that_are_told_of_are_noted(tmp_path: Path) -> None:
    """The call's and the stream's, by whichever applet tells of them; the answer does not wait for
    that."""
    url = "https://recordings.invalid/{}.mp3?signature=hush"
    async with dialling(tmp_path) as (server, http):
        for path in ("/exotel/dial-up", "/exotel/dial-up/passthru"):
            call_sid = path.rpartition("/")[2]
            told = {"CallSid": call_sid, "RecordingUrl": url.format(call_sid)}
            stream = {"Stream[StreamSID]": "s", "Stream[RecordingUrl]": url.format("stream")}
            await http.get(path, params={**ASK, **told, **stream})
            expected = {
                call_sid: url.format(call_sid),
                f"{call_sid}:s": url.format("stream"),
            }

            async def are_noted(
                call_sid: str = call_sid, expected: dict[str, str] = expected
            ) -> bool:
                jobs = await server.bridge.store.jobs.listed(call_sid=call_sid)
                return {job.key: job.payload["url"] for job in jobs} == expected

            await until(are_noted)


# ------------------------------------------------------------------ the contracts

WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "version": ("", {"headers": VERSION}),
    "query": ("?format=json", {}),
    "path": ("/json", {}),
    "pair-in-path": ("/format=json", {}),
    "accept": ("", {"headers": {"Accept": "application/json"}}),
    "post": ("", {"method": "POST", "data": ASK, "headers": VERSION}),
}


async def test_json_is_answered_however_it_is_asked_for(tmp_path: Path) -> None:
    """By header, query, path or ``Accept``; GET or POST."""
    async with dialling(tmp_path) as (server, http):
        for way, (path, how) in WAYS.items():
            await hand_over(server, way)
            url = f"/exotel/dial-up{path}{'&' if '?' in path else '?'}CallSid={way}"
            request: dict[str, Any] = {"method": "GET", "url": url, **how}
            answer = await http.request(**request)
            assert answer.headers["content-type"] == "application/json"
            assert answer.json() == {
                "fetch_after_attempt": False,
                "destination": {"numbers": [ASHA, RAVI, MEENA]},
                "max_ringing_duration": 30,
                "max_conversation_duration": 3600,
                "dial_passthru_event_url": f"{server.url}/exotel/dial-events",
            }


async def test_text_is_answered_where_nothing_asks_for_json(tmp_path: Path) -> None:
    """Numbers and commas alone, by any spelling of the parameters, GET or POST."""
    async with dialling(tmp_path) as (server, http):
        await hand_over(server)
        told = {"CallSid": "c", "Callfrom": CALLER, "digits": '"1"'}
        for answer in (
            await http.get("/exotel/dial-up", params=told),
            await http.post("/exotel/dial-up", data=told),
            await http.get("/exotel/dial-up", params={**told, "format": "text"}, headers=VERSION),
        ):
            assert (answer.status_code, answer.text) == (200, f"{ASHA},{RAVI},{MEENA}")
            assert answer.headers["content-type"].startswith("text/plain")
        at_once = (http.get("/exotel/dial-up", params=told) for _ in range(5))
        texts = {answer.text for answer in await asyncio.gather(*at_once)}
        assert texts == {f"{ASHA},{RAVI},{MEENA}"}
        assert len(await questions(server)) == 1


@pytest.mark.parametrize(
    ("forced", "type_"), [("json", "application/json"), ("text", "text/plain")]
)
async def test_a_template_may_force_a_contract(tmp_path: Path, forced: str, type_: str) -> None:
    """Where an applet's request does not tell."""
    async with dialling(tmp_path, transfer(contract=forced)) as (server, http):
        await hand_over(server)
        for headers in ({}, VERSION):
            answer = await http.get("/exotel/dial-up?CallSid=c", headers=headers)
            assert answer.headers["content-type"].startswith(type_)


async def test_the_secret_may_stand_on_either_side_of_the_format(tmp_path: Path) -> None:
    """And in the query; ``passthru`` is no secret; without it, 403."""
    async with dialling(tmp_path, EXOBRIDGE_SECRET=SECRET) as (server, http):
        await hand_over(server)
        for path in (
            f"/{SECRET}",
            f"/{SECRET}/json",
            f"/json/{SECRET}",
            f"/format=json/{SECRET}",
            f"/passthru/{SECRET}",
        ):
            assert (await http.get(f"/exotel/dial-up{path}?CallSid=c")).status_code == 200, path
        assert (await http.get(f"/exotel/dial-up?CallSid=c&auth_token={SECRET}")).status_code == 200
        for path in ("", "/json", "/wrong", "/passthru", "/passthru/wrong", "/wrong/json"):
            assert (await http.get(f"/exotel/dial-up{path}?CallSid=c")).status_code == 403, path
        assert (await http.get("/exotel/dial-events?CallSid=c")).status_code == 403


async def test_what_names_no_call_is_told_so(tmp_path: Path) -> None:
    """A 400 of ours, whatever it asks for."""
    async with dialling(tmp_path) as (_, http):
        for path in ("dial-up", "dial-up/json", "dial-up/passthru", "dial-events"):
            answer = await http.get(f"/exotel/{path}", params={"CallSid": "null"})
            assert (answer.status_code, answer.json()["error"]) == (400, "bad-request")


async def test_the_answer_says_what_the_template_says(tmp_path: Path) -> None:
    """Every key that it may set."""
    own = transfer(
        record=True,
        recording_channels="dual",
        ring_seconds=45,
        talk_seconds=1200,
        music="https://www.example.com/a.wav",
        outgoing_number="08047112244",
        targets={"support": {"numbers": [ASHA, RAVI], "parallel": 2}},
    )
    async with dialling(
        tmp_path, own, EXOBRIDGE_PUBLIC_URL="https://bot.example.com/x/", EXOBRIDGE_SECRET=SECRET
    ) as (server, http):
        await hand_over(server)
        answer = await http.get(f"/exotel/dial-up/{SECRET}/json?CallSid=c")
        assert answer.json() == {
            "fetch_after_attempt": False,
            "destination": {"numbers": [ASHA, RAVI]},
            "outgoing_phone_number": "+918047112244",
            "record": True,
            "recording_channels": "dual",
            "max_ringing_duration": 45,
            "max_conversation_duration": 1200,
            "music_on_hold": {"type": "custom_tone", "value": "https://www.example.com/a.wav"},
            "parallel_ringing": {"activate": True, "max_parallel_attempts": 2},
            "dial_passthru_event_url": f"https://bot.example.com/x/exotel/dial-events/{SECRET}",
        }


# ------------------------------------------------------------------ nobody


@pytest.mark.parametrize(("setting", "status"), [("empty", 200), ("404", 404)])
async def test_without_a_transfer_nobody_is_dialled(
    tmp_path: Path, setting: str, status: int
) -> None:
    """An empty list, an empty text or 404, and 302 for a Passthru; an unknown call is not kept."""
    async with dialling(tmp_path, transfer(no_transfer=setting)) as (server, http):
        assert await ask(http) == NOBODY
        plain = await http.get("/exotel/dial-up?CallSid=c")
        assert (plain.status_code, plain.text) == (status, "")
        branch = await http.get("/exotel/dial-up/passthru?CallSid=c")
        assert branch.status_code == 302
        assert "location" not in branch.headers
        assert server.log("webhook")[0]["outcome"] == "nobody no-transfer"
        assert await questions(server) == []


async def test_an_expired_transfer_is_none(tmp_path: Path) -> None:
    """After ``expires_seconds``, for each contract; the record says why."""
    async with dialling(tmp_path, transfer(expires_seconds=10)) as (server, http):
        await hand_over(server, ago=11)
        await hand_over(server, "fresh", ago=8)
        assert await ask(http) == NOBODY
        assert (await http.get("/exotel/dial-up/passthru?CallSid=c")).status_code == 302
        assert (await http.get("/exotel/dial-up/passthru?CallSid=fresh")).status_code == 200
        assert await ask(http, DialCallStatus="no-answer") == NOBODY
        assert [each["reason"] for each in await questions(server)] == ["expired"]
        assert await becomes(server) == (TransferStatus.FAILED, Outcome.UNANSWERED)


@pytest.mark.parametrize(
    ("how", "reason"), [({"ago": 11}, "expired"), ({"target": "sales"}, "unknown-target")]
)
async def test_a_passthru_that_sends_the_caller_away_ends_the_transfer(
    tmp_path: Path, how: dict[str, Any], reason: str
) -> None:
    """No Connect applet asks after it: the record says that nobody was had, and why."""
    async with dialling(tmp_path, transfer(expires_seconds=10)) as (server, http):
        await hand_over(server, **how)
        for _ in range(2):
            assert (await http.get("/exotel/dial-up/passthru?CallSid=c")).status_code == 302
            asked = await questions(server)
            assert [(each["reason"], each["contract"]) for each in asked] == [(reason, "passthru")]
        assert await becomes(server) == (TransferStatus.FAILED, Outcome.UNANSWERED)


async def test_a_question_that_comes_late_says_nothing_of_who_was_dialled(tmp_path: Path) -> None:
    """A human may have taken the call, and nothing but this question come of it."""
    async with dialling(tmp_path, transfer(expires_seconds=10)) as (server, http):
        request = await hand_over(server, ago=300)
        asked = events.dial_asked(
            "c",
            request.at + timedelta(seconds=1),
            transfer=request.key,
            attempt=1,
            numbers=[ASHA],
            contract="text",
        )
        await server.bridge.store.append(asked)
        assert await ask(http) == NOBODY
        assert (await http.get("/exotel/dial-up/passthru?CallSid=c")).status_code == 302
        assert await becomes(server) == (TransferStatus.DIALLING, Outcome.TRANSFERRED)


HUNG_UP = {"CallType": "client-hangup"}
OVER: dict[str, tuple[str, dict[str, str]]] = {
    "passthru": ("/exotel/passthru", HUNG_UP),
    "dial-up/passthru": ("/exotel/dial-up/passthru", HUNG_UP),
    "callback": ("/exotel/callback/status", {"Status": "completed"}),
}


@pytest.mark.parametrize("way", OVER)
async def test_for_a_caller_who_is_gone_nobody_is_dialled(tmp_path: Path, way: str) -> None:
    """Whoever told of it, before anybody was dialled or after."""
    path, told = OVER[way]
    async with dialling(tmp_path) as (server, http):
        for call_sid in ("early", "late"):
            await hand_over(server, call_sid)
            if call_sid == "late":
                assert numbers(await ask(http, call_sid)) == [ASHA, RAVI, MEENA]
            first = await http.post(path, data={**ASK, "CallSid": call_sid, **told})
            assert first.status_code == (302 if way == "dial-up/passthru" else 200)
            await server.bridge.store.flush()
            assert await ask(http, call_sid) == NOBODY
            query = {"CallSid": call_sid}
            branch = await http.get("/exotel/dial-up/passthru", params=query)
            assert branch.status_code == 302


async def test_who_hangs_up_while_dialled_is_not_dialled_for_again(tmp_path: Path) -> None:
    """The question itself tells it."""
    async with dialling(tmp_path) as (server, http):
        await hand_over(server)
        assert await ask(http, **HUNG_UP) == NOBODY
        assert server.log("webhook")[-1]["outcome"] == "nobody over"


async def test_a_target_that_cannot_be_had_dials_nobody(tmp_path: Path) -> None:
    """One that is not known, and a number that the template does not allow."""
    async with dialling(tmp_path) as (server, http):
        for call_sid, target in (("a", "sales"), ("b", "+14155552671")):
            await hand_over(server, call_sid, target=target)
            assert (
                await http.get(f"/exotel/dial-up/passthru?CallSid={call_sid}")
            ).status_code == 302
            assert await ask(http, call_sid) == NOBODY
            assert [each["reason"] for each in await questions(server, call_sid)] == [
                "unknown-target"
            ]


async def test_a_passthru_before_the_connect_tells_the_way(tmp_path: Path) -> None:
    """200 while a transfer is pending, 302 when somebody was reached; what it tells is kept."""
    async with dialling(tmp_path) as (server, http):
        await hand_over(server)
        asked = {**ASK, "CallSid": "c", "CallType": "completed"}
        assert (await http.post("/exotel/dial-up/passthru", data=asked)).status_code == 200
        await ask(http)
        asked |= {"DialCallStatus": "completed", "DialWhomNumber": ASHA}
        await http.get("/exotel/dial-up/passthru", params=asked)
        await server.bridge.store.flush()
        assert (await http.get("/exotel/dial-up/passthru", params=asked)).status_code == 302
        assert await ask(http) == NOBODY
        kept = await server.bridge.store.events("c")
        assert [event.data.get("dial_status") for event in kept if event.kind == "passthru"] == [
            None,
            "completed",
        ]


async def test_a_template_that_names_nobody_leaves_it_to_the_flow(tmp_path: Path) -> None:
    """The Passthru leads to a Connect applet with numbers of its own."""
    async with dialling(tmp_path, {"default": bot()}) as (server, http):
        await hand_over(server, target="support")
        assert (await http.get("/exotel/dial-up/passthru?CallSid=c")).status_code == 200
        assert (await http.get("/exotel/dial-up/passthru?CallSid=d")).status_code == 302
        assert await ask(http) == NOBODY


# ------------------------------------------------------------------ attempts


async def test_twenty_identical_questions_have_one_answer(tmp_path: Path) -> None:
    """One event, one count, one set of numbers; the next call gets the next agent."""
    targets = {"support": {"numbers": [ASHA, RAVI, MEENA], "order": "rotate", "attempts": 2}}
    async with dialling(tmp_path, transfer(targets=targets)) as (server, http):
        seen: list[list[str]] = []
        for call_sid in ("a", "b", "c", "d"):
            await hand_over(server, call_sid)
            answers = await asyncio.gather(*(ask(http, call_sid) for _ in range(20)))
            assert all(answer == answers[0] for answer in answers)
            assert answers[0]["fetch_after_attempt"] is True
            seen.append(numbers(answers[0]))
            assert len(await questions(server, call_sid)) == 1
        assert seen == [[ASHA], [RAVI], [MEENA], [ASHA]]


async def test_two_workers_give_one_answer(tmp_path: Path) -> None:
    """Each with its own connections to the database, ten questions at a time."""
    targets = {"support": {"numbers": [ASHA, RAVI, MEENA], "order": "rotate"}}
    async with dialling(tmp_path, transfer(targets=targets)) as (server, http):
        other = await Store.open(server.bridge.settings.database_url.get_secret_value())
        try:
            transfers = second_worker(server, other)
            for number in range(3):
                call_sid = f"c{number}"
                await hand_over(server, call_sid)
                params = read(call_sid)
                here = [ask(http, call_sid) for _ in range(10)]
                there = [transfers.dial(each, lambda _: Contract.JSON) for each in params]
                told, dialled = await asyncio.gather(asyncio.gather(*here), asyncio.gather(*there))
                sets = {*(tuple(numbers(each)) for each in told), *(d.numbers for d in dialled)}
                assert len(sets) == 1
                assert len(await questions(server, call_sid)) == 1
                assert next(iter(sets))[0] == [ASHA, RAVI, MEENA][number]
        finally:
            await other.aclose()


async def test_who_was_busy_is_followed_by_the_next(tmp_path: Path) -> None:
    """Until nobody is left; each question may come twice; what Exotel tells is kept."""
    targets = {"support": {"numbers": [ASHA, RAVI], "attempts": 2}}
    async with dialling(tmp_path, transfer(targets=targets)) as (server, http):
        await hand_over(server)
        first = await ask(http)
        assert (numbers(first), first["fetch_after_attempt"]) == ([ASHA], True)
        busy = {"DialCallStatus": "busy", "DialWhomNumber": "09811122233"}
        for _ in range(2):
            second = await ask(http, **busy)
            assert (numbers(second), second["fetch_after_attempt"]) == ([RAVI], False)
        silent = {"DialCallStatus": "no-answer", "DialWhomNumber": "09811122244"}
        for _ in range(2):
            assert await ask(http, **silent) == NOBODY
        kept = await questions(server)
        assert [(each["attempt"], each["reason"]) for each in kept] == [
            (1, ""),
            (2, ""),
            (3, "exhausted"),
        ]
        known = await server.bridge.store.events("c")
        told = [event.data["dial_status"] for event in known if event.kind is EventKind.PASSTHRU]
        assert told == ["busy", "no-answer"]
        branch = await http.get("/exotel/dial-up/passthru?CallSid=c")
        assert branch.status_code == 302


async def test_the_text_contract_is_told_who_is_left(tmp_path: Path) -> None:
    """Each number is tried once; then the flow goes on, and no fallback URL is asked."""
    async with dialling(tmp_path) as (server, http):
        await hand_over(server)
        told: list[str] = []
        for whom in ("", ASHA, RAVI, MEENA):
            asked = {
                "CallSid": "c",
                "DialCallStatus": "busy" if whom else "",
                "DialWhomNumber": whom,
            }
            answer = await http.get("/exotel/dial-up", params=asked)
            assert answer.status_code == 200
            told.append(answer.text)
        assert told == [f"{ASHA},{RAVI},{MEENA}", f"{RAVI},{MEENA}", MEENA, ""]


async def test_a_second_transfer_begins_anew(tmp_path: Path) -> None:
    """Nobody answered, the bot goes on and hands over again; Exotel still tells of the first."""
    async with dialling(tmp_path) as (server, http):
        await hand_over(server, ago=60)
        assert numbers(await ask(http)) == [ASHA, RAVI, MEENA]
        failed = {"DialCallStatus": "no-answer", "DialWhomNumber": MEENA}
        assert await ask(http, **failed) == NOBODY
        await hand_over(server, target=RAVI, number=2, ago=0)
        assert numbers(await ask(http, **failed)) == [RAVI]


async def test_a_caller_who_is_back_with_the_bot_is_not_dialled_for(tmp_path: Path) -> None:
    """A second stream of the call has begun, or the call has ended."""
    async with dialling(tmp_path) as (server, http):
        await hand_over(server, "back")
        await hand_over(server, "gone")
        now = datetime.now(UTC)
        await server.bridge.store.append(events.stream_started("back", now, stream_sid="s2"))
        await server.bridge.store.append(
            events.status("gone", now, status="completed", event_type="terminal", data={})
        )
        for call_sid, reason in (("back", "resumed"), ("gone", "over")):
            assert await ask(http, call_sid) == NOBODY
            assert [each["reason"] for each in await questions(server, call_sid)] == [reason]
