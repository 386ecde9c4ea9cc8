"""Exotel's API, asked over a real socket."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Literal

import pytest
from structlog.testing import capture_logs

from exobridge.exotel.api import (
    ActiveStreams,
    BadRequestError,
    CallDetails,
    ConflictError,
    ExotelAnswerError,
    ExotelApi,
    ExotelError,
    ExotelServerError,
    ExotelStatusError,
    ExotelTimeoutError,
    ExotelUnreachableError,
    ForbiddenError,
    LegDetails,
    NoBalanceError,
    NotFoundError,
    RateLimitedError,
    UnauthorisedError,
)
from exobridge.exotel.api.answer import MAX_BODY
from exobridge.exotel.api.exchange import Account, Exchange, Question
from exobridge.exotel.api.retry import CHANGE, READ, RequestKind
from exobridge.exotel.times import IST
from exobridge.settings import Settings
from tests.doctor.looking import accepting, make_certificate, needs_openssl
from tests.exotel_account import (
    KEY,
    SID,
    TOKEN,
    FakeAccount,
    FakeCall,
    Fault,
    Recording,
    exotel_account,
)
from tests.server import until

QUICK = RequestKind(seconds=2.0, tries=4, total_seconds=5.0)
ONCE = replace(READ, tries=1)
PHONE = "+919811122233"


@asynccontextmanager
async def asking(read: RequestKind = QUICK) -> AsyncGenerator[tuple[ExotelApi, FakeAccount]]:
    """An account, and who asks it."""
    async with exotel_account() as account, api_of(account, read) as api:
        yield api, account


def api_of(account: FakeAccount, read: RequestKind = QUICK) -> ExotelApi:
    """Who asks this account, by its settings."""
    api = ExotelApi.of(Settings.read(account.variables), read=read)
    assert api is not None
    return api


async def refused(api: ExotelApi) -> ExotelError:
    """The error of a question that fails."""
    with pytest.raises(ExotelError) as caught:
        await api.active_streams()
    return caught.value


# ------------------------------------------------------------------ the account


@pytest.mark.parametrize("absent", ["EXOTEL_API_KEY", "EXOTEL_SID"])
def test_without_an_account_there_is_no_api(absent: str) -> None:
    """Key, token and SID are needed."""
    variables = {"EXOTEL_API_KEY": KEY, "EXOTEL_API_TOKEN": TOKEN, "EXOTEL_SID": SID}
    del variables[absent]
    variables = {} if absent == "EXOTEL_API_KEY" else variables
    assert ExotelApi.of(Settings.read(variables)) is None


async def test_a_flow_is_assigned_once() -> None:
    """What is changed is not asked for again, even if no answer comes."""
    async with asking() as (api, account):
        account.add_exophones(PHONE)
        url = f"http://my.exotel.com/{SID}/exoml/start_voice/4711"
        await api.assign_flow("exophone-0", url)
        assert account.exophones[0]["voice_url"] == url
        assert (account.asked[-1].method, account.asked[-1].form()) == ("PUT", {"VoiceUrl": url})
        with pytest.raises(NotFoundError):
            await api.assign_flow("a/b", url)
        account.fail(Fault(500), where="exophone-0")
        with pytest.raises(ExotelServerError):
            await api.assign_flow("exophone-0", url)
        assert account.count("exophone-0") == 2


async def test_the_account_is_asked_with_basic_credentials_below_its_sid() -> None:
    """Key and token, at the API's host; JSON is asked for where there is a choice."""
    async with asking() as (api, account):
        account.calls["c1"] = FakeCall()
        await api.call_details("c1")
        await api.exophones()
        await api.active_streams()
        assert [each.path for each in account.asked] == [
            f"/v1/Accounts/{SID}/Calls/c1.json",
            f"/v2_beta/Accounts/{SID}/IncomingPhoneNumbers",
            f"/v1/Accounts/{SID}/ActiveStreams",
        ]
        assert {each.credentials for each in account.asked} == {f"{KEY}:{TOKEN}"}
        assert {each.method for each in account.asked} == {"GET"}


async def test_a_redirect_is_not_followed() -> None:
    """The credentials go nowhere but to the API's own host."""
    async with exotel_account() as elsewhere, asking() as (api, account):
        account.fail(Fault(302, headers={"Location": f"{elsewhere.url}/v1"}))
        error = await refused(api)
        assert type(error) is ExotelStatusError
        assert (error.status, error.retryable) == (302, False)
        assert elsewhere.asked == []


@needs_openssl
async def test_a_server_with_an_unknown_certificate_is_told_nothing(tmp_path: Path) -> None:
    """TLS is verified before anything is sent."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read())

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*make_certificate(tmp_path, days=5))
    async with accepting(serve, tls) as port:
        account = Account(f"https://localhost:{port}", KEY, TOKEN, SID)
        async with ExotelApi(account, read=ONCE) as api:
            error = await refused(api)
    assert isinstance(error, ExotelUnreachableError)
    assert b"".join(heard) == b""


def test_credentials_are_not_sent_by_plain_http() -> None:
    """But to this machine."""
    with pytest.raises(ValueError, match="plain http"):
        Account("http://api.exotel.com", KEY, TOKEN, SID)
    assert Account("http://[::1]:80", KEY, TOKEN, SID)


def test_an_account_shows_no_secret() -> None:
    """Wherever it is printed."""
    assert KEY not in repr(Account("https://api.exotel.com", KEY, TOKEN, SID))
    assert TOKEN not in repr(Account("https://api.exotel.com", KEY, TOKEN, SID))


# ------------------------------------------------------------------ call details


@pytest.mark.parametrize("form", ["json", "lower", "xml"])
async def test_call_details_are_typed(form: Literal["json", "lower", "xml"]) -> None:
    """Whatever form they come in; times are India's, legs with their wrapper."""
    async with asking() as (api, account):
        account.form = form
        account.calls["c1"] = FakeCall(recording=Recording(), presigned=True)
        assert await api.call_details("c1", recording_url_validity_minutes=60) == CallDetails(
            call_sid="c1",
            status="completed",
            direction="incoming",
            from_number="09811122233",
            to_number="08047112233",
            started_at=datetime(2026, 11, 21, 12, 31, 58, tzinfo=IST),
            ended_at=datetime(2026, 11, 21, 12, 32, 40, tzinfo=IST),
            seconds=42,
            price=Decimal("0.4"),
            recording_url=account.recording_url("c1"),
            presigned_url=account.presigned_url("c1"),
            conversation_seconds=31,
            leg1_status="completed",
            leg2_status="completed",
            legs=(LegDetails("1", 42), LegDetails("2", 31)),
            has_details=True,
        )
        assert account.asked[0].query == {"details": "true", "RecordingUrlValidity": "60"}


async def test_a_call_without_details_is_told_without_them() -> None:
    """``Details`` may be missing, and so may a recording."""
    async with asking() as (api, account):
        account.calls["c1"] = FakeCall(details=None)
        found = await api.call_details("c1")
        assert not found.has_details
        assert (found.legs, found.conversation_seconds, found.leg1_status) == ((), None, "")
        assert (found.recording_url, found.presigned_url) == ("", "")
        assert account.asked[0].query == {"details": "true"}


async def test_the_end_of_a_call_settles() -> None:
    """Duration, price and end are not there at once."""
    async with asking() as (api, account):
        account.calls["c1"] = FakeCall(unsettled=1)
        first, second = await api.call_details("c1"), await api.call_details("c1")
        assert (first.ended_at, first.seconds, first.price) == (None, None, None)
        assert (first.is_over, first.is_settled) == (False, False)
        assert (second.is_over, second.is_settled) == (True, True)
        account.calls["c1"] = FakeCall({"EndTime": "1970-01-01 05:30:00"})
        over = await api.call_details("c1")
        assert (over.is_over, over.is_settled) == (True, False)
        account.calls["c1"] = FakeCall({"Status": "in-progress"})
        talking = await api.call_details("c1")
        assert (talking.is_over, talking.is_settled) == (False, False)


@pytest.mark.parametrize("minutes", [4, 61, 0, -1])
async def test_a_validity_out_of_its_range_is_not_asked_for(minutes: int) -> None:
    """Exotel takes 5 to 60 minutes."""
    async with asking() as (api, account):
        with pytest.raises(ValueError, match="5 to 60"):
            await api.call_details("c1", recording_url_validity_minutes=minutes)
        assert account.asked == []


async def test_exotel_refuses_such_a_validity_itself() -> None:
    """The account plays that as Exotel does, or the test before would show nothing."""
    async with exotel_account() as account, exchange_of(account) as exchange:
        path = f"/v1/Accounts/{SID}/Calls/c1.json"
        with pytest.raises(BadRequestError):
            await exchange.ask(Question("call", ONCE, path, {"RecordingUrlValidity": "61"}))


@pytest.mark.parametrize("call_sid", ["../../ActiveStreams", "..", "a/b", "a?b=c", "ü", ""])
async def test_no_call_sid_leaves_its_place_in_the_path(call_sid: str) -> None:
    """SIDs are opaque, and come from outside."""
    async with asking() as (api, account):
        with pytest.raises(NotFoundError):
            await api.call_details(call_sid)
        assert account.asked[0].path.startswith(f"/v1/Accounts/{SID}/Calls/")
        assert account.asked[0].query == {"details": "true"}


# ------------------------------------------------------------------ ExoPhones, streams


async def test_the_exophones_of_all_pages_are_listed() -> None:
    """The next page is asked for at the API's own host, wherever a page says it is."""
    async with asking() as (api, account):
        numbers = [f"+9180471122{at:02d}" for at in range(30)]
        account.add_exophones(*numbers)
        account.page_size = 10
        found = await api.exophones()
        assert [phone.phone_number for phone in found] == numbers
        first = found[0]
        assert (first.sid, first.friendly_name) == ("exophone-0", "Number 0")
        assert (first.country, first.region, first.voice_url) == ("IN", "KA", "")
        queries = [each.query for each in account.asked]
        assert queries == [{}, *({"Page": str(at), "PageSize": "10"} for at in (1, 2, 3))]


async def test_a_list_that_repeats_its_first_page_ends() -> None:
    """Each number is listed once."""
    async with asking() as (api, account):
        account.add_exophones(*(f"+9180471122{at:02d}" for at in range(10)))
        account.page_size, account.pages = 5, False
        assert len(await api.exophones()) == 5
        assert account.count("IncomingPhoneNumbers") == 2


async def test_an_account_without_exophones_has_none() -> None:
    """An empty list is a list."""
    async with asking() as (api, account):
        assert await api.exophones() == []
        assert account.count("IncomingPhoneNumbers") == 1


@pytest.mark.parametrize("form", ["json", "lower", "xml"])
async def test_the_active_streams_are_told(form: Literal["json", "lower", "xml"]) -> None:
    """The open ones, and the account's limit."""
    async with asking() as (api, account):
        account.form, account.active, account.limit = form, 12, 100
        told = await api.active_streams()
        assert told == ActiveStreams(12, 100)
        assert told.free == 88


# ------------------------------------------------------------------ errors


@pytest.mark.parametrize(
    ("status", "kind", "retryable", "says"),
    [
        (400, BadRequestError, False, "report"),
        (401, UnauthorisedError, False, "EXOTEL_API_TOKEN"),
        (402, NoBalanceError, False, "Recharge"),
        (403, ForbiddenError, False, "KYC"),
        (404, NotFoundError, False, "EXOTEL_SID"),
        (409, ConflictError, False, "under way"),
        (418, BadRequestError, False, "report"),
        (429, RateLimitedError, True, "higher limit"),
        (500, ExotelServerError, True, "passes"),
        (503, ExotelServerError, True, "passes"),
    ],
)
async def test_each_status_is_an_error_of_its_own(
    status: int, kind: type[ExotelStatusError], retryable: bool, says: str
) -> None:
    """With the ``RestException``'s code, if it has one, and with what to do."""
    async with asking(ONCE) as (api, account):
        account.fail(Fault(status, 34001, "Sorry."), Fault(status, None, "Sorry."))
        for code in (34001, None):
            error = await refused(api)
            assert type(error) is kind
            assert (error.status, error.code, error.retryable) == (status, code, retryable)
            assert says in error.cure
            shown = f"answers {status} ({'code 34001, ' if code else ''}Sorry). {error.cure}"
            assert str(error).endswith(shown)


async def test_an_error_passes_nothing_secret_on() -> None:
    """Whatever Exotel writes into its message."""
    message = f"{SID} {KEY} {TOKEN} {PHONE} https://u:pw-of-exotel@h " + "x" * 5000
    async with asking() as (api, account):
        account.fail(Fault(400, 1, message))
        text = str(await refused(api))
        for secret in (SID, KEY, TOKEN, PHONE[3:], "pw-of-exotel"):
            assert secret not in text
        assert len(text) < 500


@pytest.mark.parametrize(
    "body",
    [
        b"<html><body>Bad gateway</body></html>",
        b"",
        b"\xff\xfe",
        b"[1]",
        b"nonsense",
        b"{" * 100_000,
        b"<a>" * 100_000,
        b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>',
        b"x" * (MAX_BODY + 1),
    ],
    ids=lambda body: repr(body[:16]),
)
async def test_an_answer_that_is_none_is_an_error(body: bytes) -> None:
    """Of a good status and of a bad one; it may pass."""
    async with asking(ONCE) as (api, account):
        account.fail(Fault(200, body=body), Fault(502, body=body))
        error = await refused(api)
        assert isinstance(error, ExotelAnswerError)
        assert error.retryable
        assert type(await refused(api)) in (ExotelServerError, ExotelAnswerError)


async def test_an_answer_is_not_read_without_end() -> None:
    """Though it could be read."""
    async with asking(ONCE) as (api, account):
        for size, fits in ((MAX_BODY // 2, True), (MAX_BODY, False)):
            body = json.dumps({"active_streams": 1, "x": "x" * size}).encode()
            account.fail(Fault(200, body=body))
            if fits:
                assert (await api.active_streams()).active == 1
            else:
                assert "longer than" in str(await refused(api))


async def test_an_answer_that_trickles_has_its_time_as_a_whole() -> None:
    """However little is between two bytes."""

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with accepting(trickle) as port:
        account = Account(f"http://127.0.0.1:{port}", KEY, TOKEN, SID)
        async with ExotelApi(account, read=replace(ONCE, seconds=0.3)) as api:
            assert isinstance(await refused(api), ExotelTimeoutError)


async def test_an_answer_about_something_else_is_an_error() -> None:
    """Readable, and not what was asked for."""
    async with asking() as (api, account):
        for ask in (lambda: api.call_details("c1"), api.exophones, api.active_streams):
            account.fail(Fault(200, body=b'{"status": "success"}'))
            with pytest.raises(ExotelAnswerError):
                await ask()


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".com"])
async def test_a_name_that_is_no_hosts_is_an_error(host: str) -> None:
    """One that no name may look like is not even looked up."""
    url = Settings.read({"EXOTEL_API_URL": f"https://{host}"}).exotel_api_url
    async with ExotelApi(Account(url, KEY, TOKEN, SID), read=ONCE) as api:
        assert isinstance(await refused(api), ExotelUnreachableError)


async def test_nobody_there_is_an_error() -> None:
    """With what to look at, and without the account's SID."""
    async with exotel_account() as account:
        url = account.url
    async with ExotelApi(Account(url, KEY, TOKEN, SID), read=ONCE) as api:
        error = await refused(api)
    assert isinstance(error, ExotelUnreachableError)
    assert (error.status, error.retryable) == (None, True)
    assert "EXOTEL_API_URL" in str(error)
    assert SID not in str(error)


# ------------------------------------------------------------------ asking again


FAULTS: dict[str, Callable[[], Fault]] = {
    "reset": lambda: Fault(how="reset"),
    "cut": lambda: Fault(how="cut"),
    "500": lambda: Fault(500),
    "503": lambda: Fault(503, headers={"Retry-After": "0"}),
    "429": lambda: Fault(429, headers={"Retry-After": "0.1"}),
    "garbage": lambda: Fault(200, body=b"<html></html>"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_may_pass_is_asked_again(fault: str) -> None:
    """A question that changes nothing."""
    async with asking() as (api, account):
        account.active = 7
        account.fail(FAULTS[fault]())
        assert (await api.active_streams()).active == 7
        assert account.count("ActiveStreams") == 2


async def test_an_answer_that_does_not_come_is_asked_for_again() -> None:
    """After the time that one answer has."""
    async with asking(replace(QUICK, seconds=0.3)) as (api, account):
        account.active = 7
        account.fail(Fault(how="hang"))
        assert (await api.active_streams()).active == 7


async def test_an_answer_that_never_comes_is_given_up() -> None:
    """After the time that all tries have together."""
    kind = RequestKind(seconds=0.2, tries=100, total_seconds=0.6)
    async with asking(kind) as (api, account):
        account.fail(*[Fault(how="hang")] * 100)
        error = await refused(api)
        assert isinstance(error, ExotelTimeoutError)
        assert error.retryable
        assert account.count("ActiveStreams") <= 3


async def test_the_tries_are_counted() -> None:
    """So often, and no more."""
    async with asking(replace(QUICK, tries=3)) as (api, account):
        account.fail(*[Fault(503, headers={"Retry-After": "0"})] * 10)
        assert isinstance(await refused(api), ExotelServerError)
        assert account.count("ActiveStreams") == 3


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409])
async def test_what_will_not_pass_is_asked_once(status: int) -> None:
    """Asking again changes nothing about it."""
    async with asking() as (api, account):
        account.fail(Fault(status))
        await refused(api)
        assert account.count("ActiveStreams") == 1


def exchange_of(account: FakeAccount) -> Any:
    """Below the client, where kinds of requests can be chosen."""

    @asynccontextmanager
    async def opened() -> AsyncGenerator[Exchange]:
        exchange = Exchange(Account(account.url, account.key, account.token, account.sid))
        try:
            yield exchange
        finally:
            await exchange.aclose()

    return opened()


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_changes_something_is_never_asked_again(fault: str) -> None:
    """A call would be placed twice."""
    async with exotel_account() as account, exchange_of(account) as exchange:
        account.fail(FAULTS[fault]())
        path = f"/v1/Accounts/{SID}/Calls/connect.json"
        with pytest.raises(ExotelError):
            await exchange.ask(Question("connect", CHANGE, path, method="POST"))
        assert [each.method for each in account.asked] == ["POST"]


# ------------------------------------------------------------------ 429


async def test_retry_after_holds_everybody_back() -> None:
    """Whoever asks the same account in this process, by another client too."""
    async with asking() as (api, account), api_of(account) as other:
        account.fail(Fault(429, headers={"Retry-After": "0.4"}))
        begun = time.monotonic()
        first = asyncio.create_task(api.active_streams())
        await until(lambda: bool(account.asked))
        await asyncio.sleep(0.1)  # until the answer is read
        assert account.count("") == 1
        await other.active_streams()
        await first
        assert time.monotonic() - begun >= 0.4
        assert account.count("") == 3


async def test_a_date_in_retry_after_is_heeded() -> None:
    """Beyond the time of the question it is not waited for, and nobody asks meanwhile."""
    async with asking() as (api, account):
        at = datetime.now(UTC) + timedelta(seconds=100)
        account.fail(Fault(429, headers={"Retry-After": format_datetime(at, usegmt=True)}))
        error = await refused(api)
        assert isinstance(error, RateLimitedError)
        assert error.retry_after is not None
        assert 90 < error.retry_after <= 100
        held = await refused(api)
        assert isinstance(held, RateLimitedError)
        assert held.retry_after is not None
        assert 90 < held.retry_after <= 100
        assert held.status is None
        assert account.count("") == 1


async def test_a_server_that_names_a_time_is_left_alone_until_then() -> None:
    """503 may name one as 429 does."""
    async with asking() as (api, account):
        account.fail(Fault(503, headers={"Retry-After": "100"}))
        assert isinstance(await refused(api), ExotelServerError)
        assert isinstance(await refused(api), RateLimitedError)
        assert account.count("") == 1


async def test_429_without_a_time_holds_back_too() -> None:
    """For a while of our own choice."""
    async with asking() as (api, account):
        account.fail(Fault(429))
        assert await api.active_streams() == ActiveStreams(0, 100)
        assert account.count("") == 2


# ------------------------------------------------------------------ log and metrics


async def test_each_request_is_logged_and_counted_once() -> None:
    """At DEBUG, without numbers, SIDs or credentials."""
    async with asking() as (api, account):
        account.calls[f"call-{PHONE}"] = FakeCall()
        account.fail(Fault(503, headers={"Retry-After": "0"}), Fault(how="reset"))
        with capture_logs() as logged:
            await api.call_details(f"call-{PHONE}")
        assert [(each["outcome"], each["log_level"]) for each in logged] == [
            ("503", "debug"),
            ("unreachable", "debug"),
            ("200", "debug"),
        ]
        assert {each["event"] for each in logged} == {"exotel asked"}
        assert {each["request"] for each in logged} == {"call details"}
        text = json.dumps(logged)
        assert not any(secret in text for secret in (SID, KEY, TOKEN, PHONE[3:]))
        assert api.asked == {
            ("call details", "503"): 1,
            ("call details", "unreachable"): 1,
            ("call details", "200"): 1,
        }


async def test_a_question_that_is_given_up_leaves_nothing_behind() -> None:
    """Cancelled in the middle, it is counted, and the client goes on."""
    async with asking() as (api, account):
        account.fail(Fault(how="hang"))
        question = asyncio.create_task(api.active_streams())
        await until(lambda: bool(account.asked))
        question.cancel()
        with pytest.raises(asyncio.CancelledError):
            await question
        assert api.asked["active streams", "cancelled"] == 1
        assert await api.active_streams() == ActiveStreams(0, 100)
