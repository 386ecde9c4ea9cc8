"""``/exotel/stream`` over real sockets: who may open it, and every way in which it can end."""

from __future__ import annotations

import asyncio
import base64
import json
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from exobridge.call.events import EndedBy, EventKind, Role
from exobridge.call.state import Outcome, State
from exobridge_codecs.formats import pcm16
from exobridge_codecs.tones import tone
from tests.peer import CALLED, CALLER, Peer, refusal, stream
from tests.server import BOT, SHORT, Server, bot, http_client, serving

SECRET = "a-secret-of-the-tests"
ASK = {"CallFrom": CALLER, "CallTo": CALLED, "Direction": "incoming"}


async def answer(server: Server, call_sid: str, secret: str = "") -> str:
    """The stream's URL of a call."""
    async with http_client() as http:
        path = f"{server.url}/exotel/answer/{secret}".rstrip("/")
        found = await http.get(path, params={**ASK, "CallSid": call_sid})
    return str(found.json()["url"])


async def hang_up(server: Server, peer: Peer) -> None:
    """Stop as Exotel does, and wait until the call is over."""
    await peer.send(peer.writer.stop("callended"))
    await server.until_over(peer.call_sid)


def basic(password: str) -> dict[str, str]:
    """An ``Authorization`` header."""
    return {"Authorization": "Basic " + base64.b64encode(f"exotel:{password}".encode()).decode()}


# ------------------------------------------------------------------ who may


async def test_a_stream_is_accepted_at_once(tmp_path: Path) -> None:
    """Before anything is known of its call; and the greeting comes without a word of the caller."""
    async with serving(tmp_path) as server:
        url = await answer(server, "c1")
        async with stream(url, call_sid="c1") as peer:
            await peer.start()
            media = await peer.next("media")
            assert media["stream_sid"] == peer.stream_sid
            await hang_up(server, peer)
        call = await server.kept("c1")
        assert (call.outcome, call.ended_by, call.end_reason) == (
            Outcome.COMPLETED,
            EndedBy.CALLER,
            "callended",
        )
        assert (call.caller, call.called) == ("+919811122233", "+918047112233")


async def test_a_token_opens_its_own_calls_stream_only(tmp_path: Path) -> None:
    """Forged, garbled and non-ASCII ones are refused with 403, another call's with 1008; its own
    is good again for Exotel's retry."""
    async with serving(tmp_path, EXOBRIDGE_SECRET=SECRET) as server:
        url = await answer(server, "c1", SECRET)
        token = url.rpartition("/")[2]
        for wrong in (token[:-1], token[::-1], quote("ключ"), "%ff", "x", f"{token}%20"):
            assert await refusal(f"{server.stream_url}/{wrong}") == 403
        assert await refusal(server.stream_url) == 403
        assert await refusal(f"{server.stream_url}?auth_token=wrong") == 403
        async with stream(url, call_sid="another") as peer:
            await peer.start()
            assert await peer.close_code() == 1008
        assert await refusal(url) == 101
        async with stream(url, call_sid="c1") as peer:
            await peer.start()
            await peer.next("media")
            await hang_up(server, peer)
        assert await server.bridge.store.call("another") is None
        assert {entry["reason"] for entry in server.log("stream refused")} == {
            "the token is wrong or has expired",
            "the token is another call's",
        }
        assert token not in server.text.getvalue()
        assert SECRET not in server.text.getvalue()


async def test_a_token_expires(tmp_path: Path) -> None:
    """After ``STREAM_TOKEN_SECONDS`` it is worth no more than none."""
    async with serving(tmp_path, EXOBRIDGE_SECRET=SECRET, STREAM_TOKEN_SECONDS="1") as server:
        url = await answer(server, "c1", SECRET)
        await asyncio.sleep(2.1)  # tokens count whole seconds
        assert await refusal(url) == 403


async def test_a_static_url_opens_with_the_secret(tmp_path: Path) -> None:
    """In the path, the query, or as Basic; with neither answer nor token there is one call, and
    its numbers come from the stream."""
    async with serving(tmp_path, EXOBRIDGE_SECRET=SECRET) as server:
        ways = [
            (f"{server.stream_url}/{SECRET}", None),
            (f"{server.stream_url}?auth_token={SECRET}", None),
            (server.stream_url, basic(SECRET)),
        ]
        for url, headers in ways:
            async with stream(url, headers=headers) as peer:
                await peer.start()
                await peer.next("media")
                await hang_up(server, peer)
            call = await server.kept(peer.call_sid)
            assert (call.decision, call.streams, call.outcome) == (None, 1, Outcome.COMPLETED)
            assert (call.caller, call.called) == ("+919811122233", "+918047112233")
        assert await refusal(server.stream_url, basic("wrong")) == 403
        assert await refusal(f"{server.stream_url}/{SECRET}x") == 403
        assert server.bridge.desk.admission.calls == 0
        assert SECRET not in server.text.getvalue()


async def test_without_a_secret_a_static_url_is_for_this_machine(tmp_path: Path) -> None:
    """What came through a proxy is refused, and so is a token that is none."""
    async with serving(tmp_path) as server:
        assert await refusal(server.stream_url) == 101
        assert await refusal(server.stream_url, {"X-Forwarded-For": "127.0.0.1"}) == 403
        assert await refusal(f"{server.stream_url}/nonsense") == 403


async def test_the_answer_and_a_static_stream_are_one_call_in_either_order(tmp_path: Path) -> None:
    """An asynchronous Passthru's question may come after its stream; CallSid joins them, and the
    call counts once."""
    async with serving(tmp_path, MAX_CALLS="1") as server:
        await answer(server, "before")
        async with stream(server.stream_url, call_sid="before") as peer:
            await peer.start()
            await peer.next("media")
            assert server.bridge.desk.admission.calls == 1
            await hang_up(server, peer)
        async with stream(server.stream_url, call_sid="after") as peer:
            await peer.start()
            await peer.next("media")
            assert await answer(server, "after")
            assert server.bridge.desk.admission.calls == 1
            await hang_up(server, peer)
        for call_sid in ("before", "after"):
            call = await server.kept(call_sid)
            assert (call.decision, call.streams, call.direction) == ("accept", 1, "incoming")
            assert call.outcome is Outcome.COMPLETED
        assert len(await server.bridge.store.calls()) == 2
        assert server.bridge.desk.admission.calls == 0


async def test_a_stream_that_nobody_wants_is_closed(tmp_path: Path) -> None:
    """A static URL's stream for a number that is not ours, or beyond the limit of calls: 1008, or
    the one line of a spoken refusal."""
    templates = {"shop": BOT, "spoken": bot(refusal={"mode": "say", "busy": "All busy."})}
    numbers = f"+91{CALLED[1:]}=shop,+918047112255=spoken"
    async with serving(tmp_path, templates, EXOTEL_NUMBERS=numbers, MAX_CALLS="1") as server:
        async with stream(server.stream_url) as first:
            await first.start()
            await first.next("media")
            async with stream(server.stream_url) as peer:
                await peer.start()
                assert await peer.close_code() == 1008
            assert server.log("stream turned away", call_sid=peer.call_sid)[0]["reason"] == "busy"
            async with stream(server.stream_url) as spoken:
                start = json.loads(spoken.writer.start({}))
                start["start"]["to"] = "08047112255"
                await spoken.send(json.dumps(start))
                await spoken.next("mark")
                assert await spoken.close_code() == 1000
            await hang_up(server, first)
        call = await server.kept(spoken.call_sid)
        assert (call.outcome, call.ended_by, call.end_reason) == (
            Outcome.COMPLETED,
            EndedBy.BOT,
            "busy",
        )
        turns = await server.bridge.store.turns(spoken.call_sid)
        assert [(turn.role, turn.text) for turn in turns] == [(Role.BOT, "All busy.")]


async def test_a_second_stream_of_a_call_takes_its_place(tmp_path: Path) -> None:
    """The first socket is dead or a failed transfer's: it is closed, and the call goes on in one
    slot, with the outcome of the stream that began last."""
    async with serving(tmp_path, MAX_CALLS="1") as server:
        async with stream(server.stream_url, call_sid="c1", stream_sid="s1") as first:
            await first.start()
            await first.next("media")
            async with stream(server.stream_url, call_sid="c1", stream_sid="s2") as second:
                await second.start()
                await second.next("media")
                assert await first.close_code() == 1001
                assert server.bridge.desk.admission.calls == 1
                await server.bridge.store.flush()
                call = await server.kept("c1")
                assert (call.state, call.streams, call.stream_sid) == (State.STREAMING, 2, "s2")
                await hang_up(server, second)
        call = await server.kept("c1")
        assert (call.outcome, call.ended_by) == (Outcome.COMPLETED, EndedBy.CALLER)
        ended = {
            event.data["stream_sid"]: event.data["reason"]
            for event in await server.bridge.store.events("c1")
            if event.kind is EventKind.STREAM_ENDED
        }
        assert ended == {"s1": "replaced by a newer stream", "s2": "callended"}
        assert server.bridge.desk.admission.calls == 0
        async with stream(server.stream_url, call_sid="c1", stream_sid="s3") as third:
            await third.start()
            await third.next("media")
            await hang_up(server, third)
        assert (await server.kept("c1")).streams == 3


# ------------------------------------------------------------------ what comes in


async def test_a_stream_without_a_start_is_closed(tmp_path: Path) -> None:
    """It takes no slot, leaves no call, and is closed with 1008: whether silent, talking, or with
    a start that names no call."""
    async with serving(tmp_path, MAX_CALLS="1") as server:
        async with (
            stream(server.stream_url) as silent,
            stream(server.stream_url) as talking,
            stream(server.stream_url) as nameless,
            stream(server.stream_url) as streamless,
        ):
            await talking.send(talking.writer.connected())
            await talking.silence(100)
            await nameless.send('{"event":"start","start":{"from":"1","to":"2"}}')
            await streamless.send('{"event":"start","start":{"call_sid":"c9"}}')
            assert await nameless.close_code() == 1008
            assert await streamless.close_code() == 1008
            assert await silent.close_code() == 1008
            assert await talking.close_code() == 1008
        assert await server.bridge.store.calls() == []
        assert server.bridge.desk.admission.calls == 0
        reasons = [entry["reason"] for entry in server.log("stream ended unused")]
        assert sorted(reasons) == ["no start", "no start", "not wanted", "not wanted"]


async def test_garbage_does_not_end_a_call(tmp_path: Path) -> None:
    """Binary frames, no JSON, unknown events and broken payloads are counted, and the caller is
    still heard."""
    async with serving(tmp_path) as server, stream(server.stream_url) as peer:
        await peer.send(b"\x00\x01", "hello?", peer.writer.connected(), "{}", "[]", "null")
        await peer.send(peer.writer.start({}), '{"event":"later","x":1}', b"\xff" * 5000)
        await peer.send('{"event":"media","media":{"payload":"%%%"}}', '{"event":"media"}')
        await peer.send('{"event":"mark"}', '{"event":"dtmf","dtmf":{"digit":"no"}}')
        await peer.next("mark")
        await peer.speak(tone(330, 300, 8000))
        await peer.silence(250)
        await peer.next("media")
        await hang_up(server, peer)
        turns = await server.bridge.store.turns(peer.call_sid)
        assert [turn.text for turn in turns[:2]] == ["Hello there.", "one"]
        (entry,) = server.log("call ended")
        assert entry["bad_frames"] >= 6


async def test_media_before_start_is_not_lost(tmp_path: Path) -> None:
    """The caller's first word is understood though it came before the stream was named."""
    async with serving(tmp_path, {"default": bot(greeting="")}) as server:
        async with stream(server.stream_url) as peer:
            await peer.speak(tone(330, 300, 8000))
            await peer.start()
            await peer.silence(300)
            await peer.next("media")
            await hang_up(server, peer)
        first = (await server.bridge.store.turns(peer.call_sid))[0]
        assert (first.role, first.text) == (Role.CALLER, "one")


# ------------------------------------------------------------------ how it ends


async def test_each_way_of_ending_is_in_the_record(tmp_path: Path) -> None:
    """``stop``; a socket that breaks; a close frame; a message beyond 256 KB; a dead line."""
    async with serving(tmp_path, waits=replace(SHORT, line=0.6)) as server:
        peers: dict[str, Peer] = {}

        async def call(name: str) -> Peer:
            peers[name] = peer = await opened.enter_async_context(stream(server.stream_url))
            await peer.start()
            await peer.next("media")
            return peer

        async with AsyncExitStack() as opened:
            stopped = await call("stopped")
            await stopped.send(stopped.writer.stop("stopped"))
            broken = await call("broken")
            broken.socket.transport.abort()
            closed = await call("closed")
            await closed.socket.close(1000)
            large = await call("large")
            await large.send('{"event":"later","x":"' + "x" * 300_000 + '"}')
            assert await large.close_code() == 1009
            dead = await call("dead")
            assert await dead.close_code() == 1000
            ends = {}
            for name, peer in peers.items():
                over = await server.until_over(peer.call_sid)
                events = await server.bridge.store.events(peer.call_sid)
                assert events[-1].kind is EventKind.STREAM_ENDED
                ends[name] = (over.outcome, over.ended_by, events[-1].data["close_code"])
        by_network = (Outcome.FAILED, EndedBy.NETWORK)
        assert ends == {
            "stopped": (Outcome.COMPLETED, EndedBy.CALLER, 1000),
            "broken": (*by_network, 1006),
            "closed": (*by_network, 1000),
            "large": (*by_network, 1009),
            "dead": (*by_network, 1000),
        }
        assert (await server.kept(dead.call_sid)).end_reason == "dead line"
        assert server.bridge.desk.admission.calls == 0


async def test_a_peer_that_does_not_read_is_dropped(tmp_path: Path) -> None:
    """After the send deadline the call ends, though its line still speaks; the others go on."""
    wide = {"lead_ms": 2000, "chunk_ms": 500, "sample_rate": 24000}
    templates = {"default": bot(stream=wide, tts={"options": {"ms_per_char": 500}})}
    async with serving(tmp_path, templates) as server:
        server.shrink_send_buffers()
        async with (
            stream(server.stream_url, audio=pcm16(24000), receive_buffer=4096) as deaf,
            stream(server.stream_url) as other,
        ):
            deaf.socket.transport.pause_reading()
            await deaf.start()
            await other.start()
            while not server.log("call ended", call_sid=deaf.call_sid):
                await deaf.send(deaf.writer.media("", 0))  # it is alive, and only does not read
                await other.silence(20)
            call = await server.until_over(deaf.call_sid)
            assert (call.outcome, call.ended_by, call.end_reason) == (
                Outcome.FAILED,
                EndedBy.NETWORK,
                "closed with 1006",
            )
            assert server.log("call ended", call_sid=other.call_sid) == []
            await other.next("media")
            await hang_up(server, other)
        assert (await server.kept(other.call_sid)).outcome is Outcome.COMPLETED
