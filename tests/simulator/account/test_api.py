"""The account's API over a real socket: what it answers, and what it refuses."""

from __future__ import annotations

import asyncio
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.exotel.api import ExotelApi
from exobridge.settings import Settings
from exobridge.simulator.account import (
    SID,
    Account,
    AccountCall,
    Asked,
    Fault,
    PlacedCall,
    Refusal,
    serve_account,
)
from exobridge.simulator.account.answers import Form
from exobridge.simulator.account.api import answer as answered
from exobridge.simulator.answer import IST
from exobridge.simulator.flows.model import AccountTable, RecordingTable
from tests.server import http_client, until

V1, V2 = f"/v1/Accounts/{SID}", f"/v2_beta/Accounts/{SID}"
CONNECT = f"{V1}/Calls/connect.json"
CALL = {
    "From": "+919811122233",
    "CallerId": "08047112233",
    "Url": f"http://my.exotel.com/{SID}/exoml/start_voice/77",
    "CustomField": "order-1",
}
Asking = tuple[Account, httpx.AsyncClient]


class Time:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def clock(self) -> float:
        """Seconds."""
        return self.seconds

    def wall(self) -> datetime:
        """The same as a time of day."""
        return datetime(2026, 11, 21, 12, 0, 0, tzinfo=IST) + timedelta(seconds=self.seconds)


@asynccontextmanager
async def asking(time: Time | None = None) -> AsyncGenerator[Asking]:
    """An account, and a client with its key and token."""
    time = time or Time()
    async with (
        serve_account(Account(clock=time.clock, wall=time.wall)) as account,
        http_client(account.url) as http,
    ):
        http.auth = httpx.BasicAuth(account.key, account.token)
        yield account, http


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """The status and the message of a refusal; both statuses are the same."""
    told = answer.json()["RestException"]
    assert told["Status"] == answer.status_code
    return answer.status_code, told["Message"]


# ------------------------------------------------------------------ who asks what


@pytest.mark.parametrize("auth", [None, ("a", "b"), ("key-of-the-account", ""), ("ü", "ü")])
async def test_every_question_needs_key_and_token(auth: tuple[str, str] | None) -> None:
    """401 without, whatever is asked."""
    async with asking() as (account, http):
        http.auth = httpx.Auth() if auth is None else httpx.BasicAuth(*auth)
        for method, path in (
            ("POST", CONNECT),
            ("GET", f"{V1}/Calls/c1.json"),
            ("GET", f"{V1}/ActiveStreams.json"),
            ("GET", f"{V2}/IncomingPhoneNumbers"),
            ("GET", "/v3/else.json"),
        ):
            assert refusal(await http.request(method, f"{path}"))[0] == 401
        assert account.calls == {}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", f"{V1}/Calls/unknown.json", 404),
        ("GET", "/v1/Accounts/other/ActiveStreams.json", 404),
        ("GET", f"{V1}/Else.json", 404),
        ("GET", f"{V1}/Calls/a/b.json", 404),
        ("DELETE", f"{V1}/Calls/c1.json", 405),
        ("PUT", CONNECT, 405),
        ("POST", f"{V2}/IncomingPhoneNumbers", 405),
        ("PUT", f"{V2}/IncomingPhoneNumbers/unknown", 404),
        ("GET", f"{V1}/Calls/c1.json?RecordingUrlValidity=4", 400),
        ("GET", f"{V1}/Calls/c1.json?RecordingUrlValidity=61", 400),
        ("GET", f"{V1}/Calls/c1.json?RecordingUrlValidity=%D9%A5", 400),
        ("GET", f"{V2}/IncomingPhoneNumbers?Page=-1", 400),
        ("GET", f"{V2}/IncomingPhoneNumbers?PageSize=many", 400),
    ],
)
async def test_what_there_is_not_is_refused(method: str, path: str, status: int) -> None:
    """With a ``RestException``."""
    async with asking() as (account, http):
        account.calls["c1"] = AccountCall()
        account.form = "json"
        assert refusal(await http.request(method, path))[0] == status


async def test_without_json_in_its_path_an_answer_is_xml() -> None:
    """In version 1, refusals too; version 2 knows JSON alone."""
    async with asking() as (account, http):
        account.calls["c1"] = AccountCall()
        account.active = 2
        for path, xpath, text in (
            (f"{V1}/Calls/c1", "Call/Sid", "c1"),
            (f"{V1}/ActiveStreams", "active_streams", "2"),
            (f"{V1}/Calls/unknown", "RestException/Status", "404"),
        ):
            answer = await http.get(path)
            assert answer.headers["Content-Type"] == "application/xml"
            assert ElementTree.fromstring(answer.text).findtext(xpath) == text
            written = (await http.get(f"{path}.json")).headers["Content-Type"]
            assert written == "application/json"
        phones = await http.get(f"{V2}/IncomingPhoneNumbers")
        assert phones.json()["incoming_phone_numbers"] == []


# ------------------------------------------------------------------ calls


async def test_a_call_is_placed() -> None:
    """Whoever plays it is told what was asked for; the answer tells its SID."""
    placed: list[PlacedCall] = []
    async with asking() as (account, http):
        account.place = placed.append
        answer = await http.post(CONNECT, data=CALL)
        told = answer.json()["Call"]
        assert (answer.status_code, told["Status"]) == (200, "in-progress")
        assert (told["From"], told["To"]) == ("+919811122233", "08047112233")
        assert (told["Direction"], told["StartTime"]) == ("outbound-api", "2026-11-21 12:16:40")
        assert (told["EndTime"], told["Duration"], told["Price"]) == (None, None, None)
        (call,) = placed
        assert (call.call_sid, call.app_id) == (told["Sid"], "77")
        assert call.custom_field == "order-1"
        assert len(call.call_sid) == 32


async def test_a_call_that_cannot_be_placed_is_unknown() -> None:
    """Refused by its parameters, or by whoever plays it."""

    def refuse(placed: PlacedCall) -> None:
        raise Refusal(404, f"There is no flow {placed.app_id}")

    async with asking() as (account, http):
        account.place = refuse
        assert refusal(await http.post(CONNECT, data=CALL)) == (404, "There is no flow 77")
        status, message = refusal(await http.post(CONNECT, data={**CALL, "TimeLimit": "x"}))
        assert (status, "TimeLimit" in message) == (400, True)
        assert refusal(await http.post(CONNECT, json=CALL))[0] == 400
        assert account.calls == {}


async def test_a_call_is_made_from_a_number_of_the_account() -> None:
    """However it is written; an account without any takes each."""
    async with asking() as (account, http):
        assert (await http.post(CONNECT, data=CALL)).status_code == 200
        account.add_exophones("+918047112233")
        assert (await http.post(CONNECT, data=CALL)).status_code == 200
        status, message = refusal(await http.post(CONNECT, data={**CALL, "CallerId": "9" * 10}))
        assert (status, "CallerId" in message) == (400, True)


async def test_too_many_calls_in_a_minute_are_refused() -> None:
    """429 above the limit, until the minute has passed."""
    time = Time()
    async with asking(time) as (account, http):
        account.calls_per_minute = 2
        statuses = [(await http.post(CONNECT, data=CALL)).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]
        time.seconds += 59.5
        assert refusal(await http.post(CONNECT, data=CALL))[0] == 429
        time.seconds += 0.5
        assert (await http.post(CONNECT, data=CALL)).status_code == 200
        assert len(account.calls) == 3


async def test_a_request_for_a_call_blocks_when_the_call_has_long_begun() -> None:
    """So that whoever gives up and asks again has placed two."""
    placed: list[PlacedCall] = []
    async with asking() as (account, http):
        account.place = placed.append
        account.connect_seconds = 30
        with pytest.raises(httpx.ReadTimeout):
            await http.post(CONNECT, data=CALL, timeout=0.2)
        account.connect_seconds = 0
        assert (await http.post(CONNECT, data=CALL)).status_code == 200
        assert len(placed) == 2


async def test_the_answer_about_a_call_can_be_lost() -> None:
    """The call is placed all the same."""
    placed: list[PlacedCall] = []
    async with asking() as (account, http):
        account.place = placed.append
        account.fail(
            Fault(how="reset", after=True), Fault(how="cut", after=True), Fault(503, after=True)
        )
        for _ in range(2):
            with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
                await http.post(CONNECT, data=CALL)
        assert refusal(await http.post(CONNECT, data=CALL))[0] == 503
        assert len(placed) == 3
        account.fail(Fault(503))
        await http.post(CONNECT, data=CALL)
        assert len(placed) == 3


async def test_the_end_of_a_call_settles_late() -> None:
    """In progress until then, without end, duration and price."""
    time = Time()
    async with asking(time) as (account, http):

        async def details(query: str = "?details=true") -> dict[str, Any]:
            answer = await http.get(f"{V1}/Calls/c1.json{query}")
            call: dict[str, Any] = answer.json()["Call"]
            return call

        account.begin("c1", caller="09811122233", exophone="08047112233")
        begun = await details()
        assert (begun["Status"], begun["Details"]["Leg1Status"]) == ("in-progress", "in-progress")
        time.seconds += 90.4
        legs = [("completed", 90.4), ("busy", 0), ("completed", 31)]
        recording = RecordingTable()
        account.end("c1", seconds=90.4, conversation_seconds=31, legs=legs, recording=recording)
        time.seconds += 119
        early = await details()
        assert (early["Status"], early["EndTime"], early["Duration"]) == ("in-progress", "", None)
        time.seconds += 1
        settled = await details()
        assert (settled["Status"], settled["Duration"], settled["Price"]) == (
            "completed",
            "90",
            "0.800000",
        )
        assert (settled["StartTime"], settled["EndTime"]) == (
            "2026-11-21 12:16:40",
            "2026-11-21 12:18:10",
        )
        assert settled["Details"]["ConversationDuration"] == 31
        assert (settled["Details"]["Leg1Status"], settled["Details"]["Leg2Status"]) == (
            "completed",
            "busy",
        )
        assert [leg["Leg"]["OnCallDuration"] for leg in settled["Details"]["Legs"]] == [90, 0, 31]
        assert settled["RecordingUrl"] == account.recording_url("c1")
        assert "Details" not in await details("")
        url = (await details("?RecordingUrlValidity=60"))["PreSignedRecordingUrl"]
        time.seconds += 3599
        assert (await http.get(url, auth=None)).status_code == 200


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest calls, requests and presigned URLs are forgotten."""
    for name in ("account.MAX_CALLS", "account.MAX_ASKED", "signing.MAX_MARKS"):
        monkeypatch.setattr(f"exobridge.simulator.account.{name}", 3)
    account = Account()
    for at in range(5):
        account.begin(f"c{at}", caller="09811122233", exophone="08047112233")
    assert list(account.calls) == ["c2", "c3", "c4"]
    urls = [account.sign("c1", 60) for _ in range(5)]
    assert account.presigned_url("c1") == urls[-1]
    for at in range(5):
        account.note(Asked("GET", f"/{at}", {}, "", {}))
    assert [each.path for each in account.asked] == ["/2", "/3", "/4"]


# ------------------------------------------------------------------ ExoPhones, streams


async def test_a_number_is_assigned_to_a_flow() -> None:
    """By its SID; the list shows it."""
    async with asking() as (account, http):
        account.add_exophones("+918047112233", "+918047112244")
        path = f"{V2}/IncomingPhoneNumbers/exophone-1"
        url = f"http://my.exotel.com/{SID}/exoml/start_voice/77"
        answer = await http.put(path, data={"VoiceUrl": url})
        assert (answer.status_code, answer.json()["voice_url"]) == (200, url)
        listed = (await http.get(f"{V2}/IncomingPhoneNumbers")).json()["incoming_phone_numbers"]
        assert [phone["voice_url"] for phone in listed] == ["", url]
        assert refusal(await http.put(path, data={"VoiceUrl": "somewhere"}))[0] == 400


async def test_the_list_of_numbers_has_pages() -> None:
    """No larger than the account's, each naming the next."""
    async with asking() as (account, http):
        account.add_exophones(*(f"+9180471122{at:02d}" for at in range(7)))
        account.page_size = 5
        path = f"{V2}/IncomingPhoneNumbers"
        sizes: list[tuple[int, bool]] = []
        for query in ("", "?Page=1", "?Page=2", "?PageSize=3", "?Page=2&PageSize=3", "?PageSize=9"):
            page = (await http.get(f"{path}{query}")).json()
            more = page["next_page_uri"] is not None
            sizes.append((len(page["incoming_phone_numbers"]), more))
        assert sizes == [(5, True), (2, False), (0, False), (3, True), (1, False), (5, True)]


async def test_open_streams_are_counted() -> None:
    """For as long as they are open, up to the account's limit."""
    async with asking() as (account, http):
        account.limit = 2

        async def active() -> int:
            answer = await http.get(f"{V1}/ActiveStreams.json")
            return int(answer.json()["active_streams"])

        with account.streaming() as first, account.streaming() as second:
            with account.streaming() as third:
                assert (first, second, third) == (True, True, False)
                assert await active() == 2
            assert await active() == 2
        assert await active() == 0


# ------------------------------------------------------------------ as users use it


async def test_exobridge_itself_can_ask_it() -> None:
    """Told of it by its variables; nothing else is needed."""
    async with asking() as (account, _):
        account.add_exophones("+918047112233")
        account.calls["c1"] = AccountCall()
        api = ExotelApi.of(Settings.read(account.variables))
        assert api is not None
        async with api:
            assert (await api.call_details("c1")).seconds == 42
            assert [phone.phone_number for phone in await api.exophones()] == ["+918047112233"]
            assert (await api.active_streams()).limit == 100


async def test_a_file_sets_the_account_up() -> None:
    """``[account]`` of a flow."""
    account = Account()
    account.configure(
        AccountTable(
            settle_seconds=1,
            connect_seconds=2,
            form="xml",
            streams=3,
            calls_per_minute=4,
            exophones=["+918047112233"],
        )
    )
    assert (account.settle_seconds, account.connect_seconds) == (1, 2)
    assert (account.form, account.limit, account.calls_per_minute) == ("xml", 3, 4)
    assert [phone["phone_number"] for phone in account.exophones] == ["+918047112233"]


# ------------------------------------------------------------------ faults, garbage


async def test_a_fault_answers_in_the_form_that_was_asked_for() -> None:
    """JSON or XML, with its headers; or a body of its own."""
    async with asking() as (account, http):
        fault = Fault(402, 34010, "No balance", headers={"Retry-After": "7"})
        account.fail(fault, fault, Fault(200, body=b"<html>"))
        answer = await http.get(f"{V1}/ActiveStreams.json")
        assert (refusal(answer), answer.headers["Retry-After"]) == ((402, "No balance"), "7")
        assert answer.json()["RestException"]["Code"] == 34010
        answer = await http.get(f"{V1}/ActiveStreams")
        assert ElementTree.fromstring(answer.text).findtext("RestException/Code") == "34010"
        assert (await http.get(f"{V1}/ActiveStreams")).text == "<html>"


async def test_a_fault_waits_for_the_path_that_it_is_meant_for() -> None:
    """Its own, or the one it is told with."""
    async with asking() as (account, http):
        account.fail(Fault(500, where="Calls"))
        account.fail(Fault(503), where="Active")
        statuses = [
            (await http.get(f"{V1}/{path}")).status_code
            for path in ("ActiveStreams", "ActiveStreams", "Calls/c1", "Calls/c1")
        ]
        assert statuses == [503, 200, 500, 404]


async def test_an_answer_that_never_comes_is_over_when_its_asker_leaves() -> None:
    """And what is left at the end is cut."""
    async with asking() as (account, http):
        account.fail(*[Fault(how="hang")] * 2)
        with pytest.raises(httpx.ReadTimeout):
            await http.get(f"{V1}/ActiveStreams", timeout=0.1)
        waiting = asyncio.create_task(http.get(f"{V1}/ActiveStreams"))
        await until(lambda: account.count("ActiveStreams") == 2)
    with pytest.raises(httpx.HTTPError):
        await waiting


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"hello\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000, 431),
        (b"POST / HTTP/1.1\r\nContent-Length: 9000000\r\n\r\n" + bytes(200_000), 413),
    ],
)
async def test_garbage_is_answered_too(sent: bytes, status: int) -> None:
    """The account goes on."""
    async with asking() as (account, http):
        url = httpx.URL(account.url)
        reader, writer = await asyncio.open_connection(url.host, url.port)
        writer.write(sent)
        async with asyncio.timeout(5):
            first = await reader.readline()
        writer.close()
        assert first.split()[1] == str(status).encode()
        assert (await http.get(f"{V1}/ActiveStreams")).status_code == 200
        assert len(account.asked) == 1


async def test_a_request_that_never_comes_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """408, after its time."""
    monkeypatch.setattr("exobridge.simulator.account.reading.READ_SECONDS", 0.05)
    async with asking() as (account, http):
        url = httpx.URL(account.url)
        reader, writer = await asyncio.open_connection(url.host, url.port)
        writer.write(b"GET / HTTP/1.1\r\n")
        async with asyncio.timeout(5):
            assert (await reader.readline()).split()[1] == b"408"
        writer.close()
        assert http.base_url == url


PIECES = ["v1", "v2_beta", "Accounts", SID, "Calls", "c1", "connect.json", "IncomingPhoneNumbers"]


@given(
    st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    st.lists(st.sampled_from(PIECES) | st.text(max_size=9), max_size=6),
    st.dictionaries(st.sampled_from(["Page", "RecordingUrlValidity"]), st.text(max_size=5)),
    st.binary(max_size=60),
    st.sampled_from(["auto", "lower", "xml"]),
)
def test_whatever_is_asked_is_answered(
    method: str, path: list[str], query: dict[str, str], body: bytes, form: Form
) -> None:
    """A page or a refusal, in its form."""
    account = Account()
    account.form = form
    account.begin("c1", caller="a<b", exophone="c&d", custom_field="\x00\x0b \ufffe")
    credentials = f"{account.key}:{account.token}"
    told = answered(account, Asked(method, "/" + "/".join(path), query, credentials, {}, body))
    assert told.status in (200, 400, 404, 405)
    if told.headers["Content-Type"] == "application/xml":
        ElementTree.fromstring(told.body)
    else:
        json.loads(told.body)
