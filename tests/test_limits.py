"""The page of limits says what the code says, and every limit on it is reached by a test; here are
those of the server as a whole."""

from __future__ import annotations

import ast
import asyncio
import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from annotated_types import Le
from pydantic import BaseModel
from websockets.exceptions import ConnectionClosed

from exobridge import api_keys, greetings, provider_names
from exobridge.call import dialling, playout, prompts, resuming, session
from exobridge.call import orders as call_orders
from exobridge.call.failover import journal, lineup
from exobridge.call.plan import Waits
from exobridge.call.playout import Playout, PlayoutOptions
from exobridge.exophones import visits
from exobridge.exotel import given
from exobridge.exotel import stream as exotel_stream
from exobridge.exotel.api import answer as api_answer
from exobridge.jobs import RunnerOptions
from exobridge.live import feed
from exobridge.outbound import csv_rows
from exobridge.outbound import lists as people
from exobridge.own_recording import mix, recorder
from exobridge.recordings.fetch import FetchOptions
from exobridge.routing import answer as lookup_answer
from exobridge.routing import delivery
from exobridge.routing import lookup as lookups
from exobridge.server import config as server_settings
from exobridge.settings import Settings
from exobridge.store.writer import WriterOptions
from exobridge.templates import lists, routing, transfer
from exobridge.templates.models import LimitsTable
from exobridge.transfer import lookup as transfer_lookup
from exobridge.web import body, http_protocol, line, protocol, proxies, rate, whisper
from exobridge.web.control import asking, operation, paging
from exobridge.webhooks import delivery as webhooks
from exobridge.webhooks.sender import MAX_ANSWER
from exobridge_codecs.formats import FRAME_MS, pcm16
from exobridge_codecs.tones import tone
from exobridge_providers.dialogue import openai_session, openai_stream, sse
from exobridge_providers.dialogue.webhook_options import WebhookOptions
from tests.peer import CALLED, CALLER, Peer, refusal, stream
from tests.server import SHORT, Server, bot, http_client, serving, until

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "reference" / "limits.md"
DEFAULTS = Settings()
WAITS = Waits()


def _most(table: type[BaseModel], key: str) -> int:
    """The highest value that a key of a template may have."""
    bounds = (bound.le for bound in table.model_fields[key].metadata if isinstance(bound, Le))
    return int(str(next(bounds)))


LIMITS: dict[str, str] = {
    "connections at once": (
        f"{http_protocol.HttpLimits.of(1).connections - http_protocol.HttpLimits.of(0).connections}"
        f" for each of `MAX_CALLS`, and {http_protocol.CONNECTIONS_BESIDE}"
    ),
    "time for a request to come whole, and for its answer to be read": (
        f"{http_protocol.REQUEST_SECONDS:g} s"
    ),
    "an idle connection": f"{http_protocol.KEEP_ALIVE_SECONDS} s",
    "a request's line and headers": (
        f"{http_protocol.MAX_HEAD // 1024} KiB, {http_protocol.MAX_HEADERS} headers"
    ),
    "a request as it comes": f"{http_protocol.MAX_REQUEST // 1024} KiB",
    "a list of people to call as it comes": (
        f"{http_protocol.MAX_UPLOAD >> 20} MiB within {http_protocol.UPLOAD_SECONDS:g} s"
    ),
    "a body to `/api/v1`, such a list apart": f"{operation.MAX_BODY // 1024} KiB",
    "a page of a list of `/api/v1`": f"{paging.MAX_PAGE}",
    "a part of a path of `/api/v1`": f"{asking.MAX_PATH_CHARS} characters",
    "keys of the API": f"{api_keys.MAX_KEYS}",
    "webhooks of which is yet to be counted whose number they were for": f"{visits.MAX_WAITING}",
    "numbers that visits are counted for while none is listed": f"{visits.MAX_NUMBERS}",
    "requests on one connection, not answered yet": f"{http_protocol.MAX_PIPELINED}",
    "requests and handshakes of one address": (
        f"{DEFAULTS.request_rate} a second, {'twice' if rate.BURST_S == 2 else '?'} as many at once"
    ),
    "addresses that are counted": f"{rate.MAX_ADDRESSES}",
    "proxies that a request passed": f"{proxies.MAX_HOPS}",
    "a webhook's body": f"{body.MAX_BODY // 1024} KiB, {body.MAX_FIELDS} fields",
    "a webhook's parameter": f"{given.MAX_VALUE} characters",
    "parameters of a webhook, each member of `Stream` and `Legs` counted": (
        f"{given.MAX_PARAMETERS}, {given.MAX_ENTRIES} legs"
    ),
    "rules of a template, numbers of a list, its file": (
        f"{routing.MAX_ROUTES}, {lists.MAX_NUMBERS:,}, {lists.MAX_FILE >> 20} MiB"
    ),
    "a look-up's answer": (
        f"{lookup_answer.MAX_BYTES // 1024} KiB, {routing.MAX_VARIABLES} variables of "
        f"{routing.MAX_VALUE} characters"
    ),
    "answers of look-ups that are remembered": (
        f"{lookups.MAX_REMEMBERED}, for {lookups.REMEMBERED_SECONDS / 60:g} minutes"
    ),
    "the text of a Greeting applet": f"{greetings.MAX_TEXT} characters",
    "numbers of a transfer's target": f"{transfer.MAX_NUMBERS}",
    "attempts of one transfer": f"{_most(transfer.TargetTable, 'attempts')}",
    "a whisper": f"{transfer.TransferTable().whisper_max_chars} characters",
    "time for a whisper to be fetched": (
        f"{whisper.GOOD_FOR.total_seconds() / 60:g} minutes from the transfer"
    ),
    "the answer of your own system, asked whom to dial": (
        f"{transfer_lookup.MAX_BYTES // 1024} KiB"
    ),
    "facts that a worker tells by `[log]`": f"{1 / delivery.PACE_SECONDS:g} a second",
    "webhooks that a worker sends to your own system": (
        f"{1 / webhooks.PACE_SECONDS:g} a second, {webhooks.AT_ONCE} at a time"
    ),
    "an answer to a webhook": f"{MAX_ANSWER // 1024} KiB",
    "what is kept of one call's dialling": (
        f"the latest {dialling.MOST} signs, and {dialling.MOST} reports"
    ),
    "a list of people to call": (
        f"{csv_rows.MAX_ROWS:,} rows, {csv_rows.MAX_COLUMNS} columns, "
        f"{csv_rows.MAX_BYTES >> 20} MiB, {csv_rows.MAX_ROW_BYTES // 1024} KiB a row"
    ),
    "rows told of a list that cannot be called": f"{people.SHOWN_FAULTS}, and how many there are",
    "calls at once": f"{DEFAULTS.max_calls} for each worker",
    "calls at once that only hear a refusal": "a quarter of `MAX_CALLS`",
    "time for an answered call's stream to open": f"{DEFAULTS.unused_slot_seconds} s",
    "time for a stream's URL to be used": f"{DEFAULTS.stream_token_seconds} s",
    "an operator's line, and lines that wait in one call": (
        f"{call_orders.MAX_LINE_CHARS} characters, {call_orders.MAX_WAITING}"
    ),
    "who follows the live events of a worker, and how far behind": (
        f"{feed.MAX_READERS}, {feed.MAX_BEHIND} events"
    ),
    "streams of the account at Exotel": "what Exotel says",
    "an answer of Exotel's API": f"{api_answer.MAX_BODY >> 20} MiB",
    "time for `start` to come on a stream": f"{WAITS.start:g} s",
    "a message on a stream": f"{server_settings.MAX_MESSAGE // 1024} KiB",
    "frames on a stream": f"{session.FLOOD_FRAMES} within {session.CHECK_S} s",
    "time without a frame that can be read": f"{WAITS.line:g} s",
    "audio before `start`": (
        f"{exotel_stream.HELD_FRAMES} frames, {exotel_stream.HELD_BYTES:,} bytes"
    ),
    "audio before the providers are open": f"{session.HELD_BYTES:,} bytes",
    "frames for a peer that does not read": f"{line.MAX_WAITING}, for {WAITS.send:g} s",
    "time for the answer to a close frame": f"{protocol.CLOSE_SECONDS:g} s",
    "a call": f"{LimitsTable().max_call_seconds} s",
    "audio of one utterance, from a provider": f"{playout.MAX_HELD_BYTES >> 20} MiB",
    "audio kept for the next speech-to-text": (
        f"{journal.MAX_FRAMES * FRAME_MS // 1000} s of what was not answered"
    ),
    "failures of a provider in a call": f"{lineup.FAILURES} within a minute",
    "lines told to a dialogue that takes over, or whose call comes back": str(
        resuming.HISTORY_LINES
    ),
    "providers that stand in for each other": f"{provider_names.MAX_PROVIDERS}",
    "rendered lines that are kept": f"{prompts.MAX_BYTES >> 20} MiB",
    "what an own recording holds for a disk that is slow": (
        f"{recorder.MAX_BEHIND * recorder.LOOK_S:g} s of both sides"
    ),
    "room on the disk that own recordings leave": f"{recorder.MIN_FREE_BYTES >> 20} MiB",
    "audio of the caller, ahead of the clock": f"{mix.AHEAD_MS / 1000:g} s",
    "requests of one address to `/api/v1`": (
        f"{DEFAULTS.request_rate} a second, {'twice' if rate.BURST_S == 2 else '?'} as many at once"
    ),
    "a recording": f"{DEFAULTS.recording_max_mb} MB",
    "redirects of a recording's URL": f"{FetchOptions(DEFAULTS.recording_hosts, 0).redirects}",
    "tries of a job that fails": f"{len(RunnerOptions().backoff) + 1}",
    "facts that wait for the database": f"{WriterOptions().queue_limit:,}",
    "words of a model's answer": f"{openai_session.MAX_ANSWER_CHARS:,} characters",
    "tools in a model's answer": (
        f"{openai_stream.MAX_CALLS} calls, {openai_stream.MAX_ARGUMENTS // 1024} KiB of arguments "
        "each"
    ),
    "a line of a streamed answer": f"{sse.MAX_LINE_BYTES // 1024} KiB",
    "the answer of a `webhook`": (
        f"{WebhookOptions(url='https://bot.example').max_bytes // 1024**2} MiB"
    ),
}
"""What the page has to say, by the code."""

KEYS = {
    *(f"limits.{key}" for key in LimitsTable.model_fields),
    *(f"transfer.{key}" for key in transfer.TransferTable.model_fields),
    *(f"transfer.targets.{key}" for key in transfer.TargetTable.model_fields),
}
"""Keys of a template."""


def rows() -> dict[str, list[str]]:
    """The page's table, by its first column."""
    lines = re.findall(r"^\| (?!What|---)(.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    cells = [line.split(" | ") for line in lines]
    assert len({row[0] for row in cells}) == len(cells), "a row stands twice"
    return {row[0]: row[1:] for row in cells}


def test_the_page_has_every_limit_as_it_is() -> None:
    """None differs from the code, and none is made up."""
    assert {name: row[0] for name, row in rows().items()} == LIMITS


def test_the_page_names_the_settings_that_exist() -> None:
    """A variable, a template's key, or none."""
    for name, row in rows().items():
        setting = row[1].strip("`")
        assert setting == "–" or setting in Settings.variables() or setting in KEYS, name


@pytest.mark.parametrize("name", LIMITS)
def test_every_limit_is_reached_by_a_test(name: str) -> None:
    """The page names it, and it exists."""
    path, _, test = rows()[name][3].strip("`").partition("::")
    tree = ast.parse((TESTS / path).read_text("utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    assert test in {node.name for node in tree.body if isinstance(node, functions)}


# ------------------------------------------------------------------ asking too often

SECRET = "a-secret-of-the-tests"
ASK = {"CallFrom": CALLER, "CallTo": CALLED}


async def test_an_address_that_asks_too_often_is_turned_away(tmp_path: Path) -> None:
    """Its webhooks and its streams, with one line in the log; another address behind the same proxy
    is served, and so is health."""
    proxy = "127.0.0.1"
    async with (
        serving(
            tmp_path, TRUSTED_PROXIES=proxy, REQUEST_RATE="2", EXOBRIDGE_SECRET=SECRET
        ) as server,
        http_client(server.url) as http,
    ):

        async def ask(call_sid: str, client: str) -> httpx.Response:
            return await http.get(
                f"/exotel/answer/{SECRET}",
                params={**ASK, "CallSid": call_sid},
                headers={"X-Forwarded-For": client},
            )

        answers = [await ask(f"c{number}", "203.0.113.9") for number in range(12)]
        assert {answer.status_code for answer in answers[:4]} == {200}
        late = answers[-1]
        assert (late.status_code, late.json()["error"]) == (429, "too-many-requests")
        flooding = {"X-Forwarded-For": "203.0.113.9"}
        assert await refusal(f"{server.stream_url}/{SECRET}", flooding) == 429
        other = {"X-Forwarded-For": "203.0.113.10"}
        assert await refusal(f"{server.stream_url}/{SECRET}", other) == 101
        assert (await ask("other", "203.0.113.10")).status_code == 200
        assert (await http.get("/health/live", headers=flooding)).status_code == 200
        (entry,) = server.log("address asks too often")
        assert (entry["level"], entry["address"], entry["refused"]) == ("warning", "203.0.113.9", 1)
        taken = [answer for answer in answers if answer.is_success]
        assert len(server.log("webhook")) == len(taken) + 1


async def test_networks_are_looked_at_over_a_real_socket(tmp_path: Path) -> None:
    """By a declared proxy's word, for webhooks and for streams, and the stream's URL is the one
    that the proxy's client knows."""
    office = "203.0.113.0/24"
    async with (
        serving(tmp_path, ALLOWED_NETWORKS=office, TRUSTED_PROXIES="127.0.0.1") as server,
        http_client(server.url) as http,
    ):
        known = {
            "X-Forwarded-For": "1.1.1.1, 203.0.113.9",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "bot.example.com",
        }
        asked = {**ASK, "CallSid": "c1"}
        answer = await http.get("/exotel/answer", params=asked, headers=known)
        url = str(answer.json()["url"])
        assert url.startswith("wss://bot.example.com/exotel/stream/")
        stranger = {"X-Forwarded-For": "203.0.113.9, 1.1.1.1"}
        for headers in (stranger, {}, {"X-Forwarded-For": "garbage"}):
            refused = await http.get("/exotel/answer", params=asked, headers=headers)
            assert (refused.status_code, refused.json()["error"]) == (403, "forbidden")
        token = url.rpartition("/")[2]
        assert await refusal(f"{server.stream_url}/{token}", stranger) == 403
        assert await refusal(f"{server.stream_url}/{token}", known) == 101
        assert await refusal(server.stream_url, known) == 101
        assert await refusal(f"{server.stream_url}/wrong", known) == 403
        assert len(server.log("stream refused", reason="this address is not allowed")) == 1


# ------------------------------------------------------------------ on a stream


async def test_a_flood_of_frames_ends_its_own_stream_only(tmp_path: Path) -> None:
    """Garbage or audio, before ``start`` or after, it is closed with 1008 within a second; a call
    beside it is answered."""
    # What floods is closed for that alone, however long a loaded machine takes to send it.
    patient = replace(SHORT, start=30, line=30)
    async with serving(tmp_path, {"default": bot(greeting="")}, waits=patient) as server:
        async with (
            stream(server.stream_url) as caller,
            stream(server.stream_url) as garbage,
            stream(server.stream_url) as early,
            stream(server.stream_url) as audio,
        ):
            await caller.start()
            await garbage.start()
            await audio.start()
            begun = {caller.call_sid, garbage.call_sid, audio.call_sid}
            await until(lambda: begun <= server.bridge.desk.sessions.keys())
            frames = {
                garbage: "x",
                early: '{"event":"later"}',
                audio: audio.writer.media("AAAA" * 107, 0),
            }
            flooding = [asyncio.create_task(_flood(peer, text)) for peer, text in frames.items()]
            await caller.speak(tone(330, 300, 8000))
            await caller.silence(250)
            await caller.next("media")
            sent = await asyncio.gather(*flooding)
            assert [peer.socket.close_code for peer in frames] == [1008] * 3
            assert all(count > session.FLOOD_FRAMES for count in sent)
            await caller.send(caller.writer.stop("callended"))
            await server.until_over(caller.call_sid)
        turns = await server.bridge.store.turns(caller.call_sid)
        assert turns[0].text == "one"
        assert (await server.kept(audio.call_sid)).end_reason == "too many frames"
        assert server.log("stream ended unused", reason="too many frames")
        (entry,) = server.log("call ended", call_sid=garbage.call_sid)
        assert entry["bad_frames"] > session.FLOOD_FRAMES / 2


async def _flood(peer: Peer, text: str) -> int:
    """Send as fast as can be until the server hangs up; how many were sent."""
    closed = asyncio.create_task(peer.close_code())
    sent = 0
    with suppress(ConnectionClosed):
        while not closed.done():
            for _ in range(100):
                await peer.send(text)
                sent += 1
            await asyncio.sleep(0)
    await closed
    return sent


async def test_what_a_slow_line_held_up_is_no_flood(tmp_path: Path) -> None:
    """Five seconds of 20 ms frames at once are a caller whose network was away."""
    async with serving(tmp_path, {"default": bot(greeting="")}) as server:
        async with stream(server.stream_url) as peer:
            await peer.start()
            await peer.send(*[peer.writer.media("AAAA" * 107, 0)] * 250)
            await peer.speak(tone(330, 300, 8000))
            await peer.silence(250)
            await peer.next("media")
            await peer.send(peer.writer.stop("callended"))
            call = await server.until_over(peer.call_sid)
        assert call.end_reason == "callended"


async def test_garbage_is_no_sign_of_life(tmp_path: Path) -> None:
    """A line on which nothing comes that can be read is dead, however much comes."""
    async with (
        serving(tmp_path, waits=replace(SHORT, line=0.6)) as server,
        stream(server.stream_url) as peer,
    ):
        await peer.start()
        closed = asyncio.create_task(peer.close_code())
        for _ in range(200):
            if closed.done():
                break
            with suppress(ConnectionClosed):
                await peer.send("garbage")
            await asyncio.sleep(0.02)
        assert await closed == 1000
        assert (await server.until_over(peer.call_sid)).end_reason == "dead line"


async def test_what_is_kept_for_providers_that_open_is_bounded(tmp_path: Path) -> None:
    """The newest of the caller's audio is heard, the oldest is not."""
    slow = {"provider": "faulty", "options": {"how": "hang-open"}}
    async with (
        serving(tmp_path, {"default": bot(greeting="", stt=slow)}) as server,
        stream(server.stream_url) as peer,
    ):
        await peer.start()
        await until(lambda: peer.call_sid in server.bridge.desk.sessions)
        long = peer.writer.media("AAAA" * 13_333 + "AA==", 0)  # 40,000 bytes: 2.5 s
        await peer.send(*[long] * 20)
        held = server.bridge.desk.sessions[peer.call_sid]
        await until(lambda: _held_bytes(held) > session.HELD_BYTES - 40_001)
        assert _held_bytes(held) <= session.HELD_BYTES
        await peer.send(peer.writer.stop("callended"))
        await server.until_over(peer.call_sid)


def _held_bytes(held: Any) -> int:
    return sum(map(len, held._held))


async def test_a_peer_that_does_not_close_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection does not outlive the call by more than the limit."""
    monkeypatch.setattr(protocol, "CLOSE_SECONDS", 0.3)
    async with serving(tmp_path, waits=replace(SHORT, start=0.2)) as server:
        port = int(server.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"GET /exotel/stream HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        received = await asyncio.wait_for(reader.read(), 5)
        assert received.endswith(b"\x88\x02\x03\xf0")  # a close frame, 1008; no answer to it
        writer.transport.abort()


def test_a_providers_audio_is_bounded() -> None:
    """What it sends beyond is dropped; another utterance is not touched."""
    line_format = pcm16(8000)
    held = Playout(line_format, 0.0, PlayoutOptions(chunk_ms=100, lead_ms=200))
    megabyte = bytes(1 << 20)
    for _ in range(playout.MAX_HELD_BYTES // len(megabyte) + 3):
        held.add("endless", megabyte)
    held.add("other", megabyte)
    seconds = (playout.MAX_HELD_BYTES + len(megabyte)) / 16_000
    assert held.held_ms == pytest.approx(seconds * 1000)


# ------------------------------------------------------------------ a server under slow clients


async def test_calls_go_on_while_others_send_nothing(tmp_path: Path) -> None:
    """Two hundred connections that never ask take no slot and no call's time."""
    async with serving(tmp_path, {"default": bot(greeting="")}) as server:
        port = int(server.url.rpartition(":")[2])
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(200)]
        try:
            for _, writer in idle:
                writer.write(b"GET /exotel/answer HTTP/1.1\r\nHost: loc")
            await _a_call(server)
            assert server.bridge.desk.admission.calls == 0
        finally:
            for _, writer in idle:
                writer.transport.abort()


async def _a_call(server: Server) -> None:
    async with stream(server.stream_url) as peer:
        await peer.start()
        await peer.speak(tone(330, 300, 8000))
        await peer.silence(250)
        await peer.next("media")
        await peer.send(peer.writer.stop("callended"))
        await server.until_over(peer.call_sid)
