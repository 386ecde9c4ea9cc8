"""Calls that come back: a second stream of the same call, on a real server and real sockets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from exobridge.call.events import EndedBy, EventKind, Turn
from exobridge.call.state import Outcome
from exobridge_providers.base import (
    CallContext,
    DialogueProvider,
    DialogueSession,
    Options,
    Resumption,
    Said,
)
from exobridge_providers.errors import ProviderUnavailableError
from exobridge_providers.registry import Kind
from exobridge_providers.testing.fakes import FakeDialogue, FakeDialogueOptions, FakeDialogueSession
from tests.database import held
from tests.peer import Peer, stream
from tests.server import IMPATIENT, LINE, Server, bot, serving

TEXTS = {
    "transfer": "Please hold.",
    "transfer_failed": "Nobody is free.",
    "resumed": "We were cut off.",
    "nobody_free": "Nobody is free. Goodbye.",
}
PEOPLE = {"targets": {"sales": {"numbers": ["+918047112299"]}}}
ASKS = [[{"target": "sales"}]]


def desk_bot(*script: list[dict[str, Any]], **tables: Any) -> dict[str, str]:
    """The templates of a bot whose dialogue answers so."""
    dialogue = {"options": {"script": list(script)}}
    return {"default": bot(**{"dialogue": dialogue, "texts": TEXTS, "transfer": PEOPLE, **tables})}


async def sessions(server: Server) -> list[FakeDialogueSession]:
    """All that the fake dialogue has opened, the first call's first."""
    table = server.bridge.templates["default"].dialogue
    pool = server.bridge.services.pool
    provider = await pool.get(Kind.DIALOGUE, table.provider, table.options, FakeDialogue)
    return provider.sessions


async def line(peer: Peer) -> None:
    """The bot says a line, to its end."""
    await peer.next("media")
    await peer.played()


async def hang_up(server: Server, peer: Peer) -> list[Turn]:
    """The caller has had enough; what was said in the whole call."""
    await peer.send(peer.writer.stop("callended"))
    await server.until_over(peer.call_sid)
    return await server.bridge.store.turns(peer.call_sid)


async def transferred(server: Server) -> str:
    """A first stream in which the caller is handed over; its call."""
    async with stream(server.stream_url) as peer:
        await peer.start()
        await line(peer)
        await peer.speak(LINE.pcm)
        await line(peer)
        assert await peer.close_code() == 1000
        # Not flushed: Exotel asks whom to dial at once, maybe of another worker.
        call = await server.bridge.store.call(peer.call_sid)
        assert call is not None
        assert call.transfer is not None
        assert call.transfer.target == "sales"
    await server.until_over(peer.call_sid)
    return peer.call_sid


async def test_a_failed_transfer_leads_back_to_the_conversation(tmp_path: Path) -> None:
    """The caller is told that nobody is free, the dialogue what was said and why it goes on, and
    the record shows both streams."""
    async with serving(tmp_path, desk_bot(*ASKS)) as server:
        call_sid = await transferred(server)
        async with stream(server.stream_url, call_sid=call_sid) as peer:
            await peer.start()
            await line(peer)
            first, second = await sessions(server)
            assert first.context.resumed is None
            assert second.context.resumed == Resumption("transfer-failed", "sales")
            assert second.context.greeting == "Nobody is free."
            assert second.context.history == (
                Said("bot", "Hello there."),
                Said("caller", "one"),
                Said("bot", "Please hold."),
            )
            await peer.speak(LINE.pcm)
            await line(peer)
            turns = await hang_up(server, peer)
        said = ["Hello there.", "one", "Please hold.", "Nobody is free.", "one"]
        assert [turn.text for turn in turns[:5]] == said
        assert [turn.number for turn in turns] == [1, 2, 3, 1, 2, *range(3, len(turns) - 2)]
        assert second.turns[0].heard == "Nobody is free."
        call = await server.kept(call_sid)
        assert (call.streams, call.ended_by) == (2, EndedBy.CALLER)
        assert len(server.log("call started", call_sid=call_sid)) == 2
        resumed = server.log("call resumed", call_sid=call_sid)
        assert [entry["why"] for entry in resumed] == ["transfer-failed"]
        assert server.errors() == []


async def test_a_template_may_end_a_call_whose_transfer_failed(tmp_path: Path) -> None:
    """With its last words, and without a conversation."""
    templates = desk_bot(*ASKS, transfer={**PEOPLE, "when_failed": "say"})
    async with serving(tmp_path, templates) as server:
        call_sid = await transferred(server)
        async with stream(server.stream_url, call_sid=call_sid) as peer:
            await peer.start()
            await line(peer)
            assert await peer.close_code() == 1000
        call = await server.until_over(call_sid)
        assert call.end_reason == "nobody free"
        turns = await server.bridge.store.turns(call_sid)
        assert turns[-1].text == "Nobody is free. Goodbye."
        assert len(await sessions(server)) == 1


async def test_a_call_that_was_cut_off_goes_on(tmp_path: Path) -> None:
    """The socket went in the middle of an answer: the dialogue is told only what was heard of
    it."""
    long = "This is a long answer, which is cut before it comes to its end."
    templates = desk_bot([{"text": long}], tts={"options": {"ms_per_char": 40}})
    async with serving(tmp_path, templates) as server:
        async with stream(server.stream_url) as peer:
            await peer.start()
            await line(peer)
            await peer.speak(LINE.pcm)
            for _ in range(4):
                await peer.next("media")
        async with stream(server.stream_url, call_sid=peer.call_sid) as again:
            await again.start()
            await line(again)
            turns = await hang_up(server, again)
        context = (await sessions(server))[1].context
        assert context.resumed == Resumption("dropped")
        assert context.greeting == "We were cut off."
        heard = context.history[-1].text
        assert 0 < len(heard) < len(long)
        assert long.startswith(heard)
        assert turns[-1].text == "We were cut off."
        assert (await server.kept(peer.call_sid)).outcome is Outcome.COMPLETED


async def test_of_two_streams_at_once_the_newer_goes_on(tmp_path: Path) -> None:
    """The older one is a dead socket's: it is closed, and what was said in it is known to the newer
    at once."""
    async with serving(tmp_path, desk_bot()) as server, stream(server.stream_url) as dead:
        await dead.start()
        await line(dead)
        await dead.speak(LINE.pcm)
        await line(dead)
        async with stream(server.stream_url, call_sid=dead.call_sid) as peer:
            await peer.start()
            await line(peer)
            assert await dead.close_code() == 1001
            context = (await sessions(server))[1].context
            assert context.resumed == Resumption("dropped")
            assert [said.text for said in context.history] == [
                "Hello there.",
                "one",
                "You said: one",
            ]
            await hang_up(server, peer)
        kinds = [event.kind for event in await server.bridge.store.events(dead.call_sid)]
        assert kinds.count(EventKind.STREAM_ENDED) == 2
        assert server.bridge.desk.admission.calls == 0


async def test_a_call_goes_on_where_the_database_does_not_answer(tmp_path: Path) -> None:
    """As a new one: the caller is greeted and answered, and the log says why."""
    async with serving(tmp_path, desk_bot(*ASKS), waits=IMPATIENT) as server:
        call_sid = await transferred(server)
        async with (
            held(tmp_path / "data" / "exobridge.sqlite3"),
            stream(server.stream_url, call_sid=call_sid) as peer,
        ):
            await peer.start()
            await line(peer)
            assert (await sessions(server))[1].context.greeting == "Hello there."
        assert [entry["error"] for entry in server.log("call not looked up")] == [
            "no answer in time"
        ]
        await server.until_over(call_sid)


class OnceOnlyDialogue(DialogueProvider):
    """Converses in the first stream of a call, and cannot be opened for another."""

    options_type = FakeDialogueOptions

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._fake = FakeDialogue(options)

    async def open(self, context: CallContext) -> DialogueSession:
        """As :meth:`exobridge_providers.base.DialogueProvider.open`."""
        if context.resumed is not None:
            raise ProviderUnavailableError("no second time", provider="once-only")
        return await self._fake.open(context)


ONCE_ONLY = f"{__name__}:OnceOnlyDialogue"


async def test_a_dialogue_that_cannot_go_on_is_replaced(tmp_path: Path) -> None:
    """By the next one, which knows as much."""
    options = {f'"{ONCE_ONLY}"': {"script": ASKS}}
    templates = desk_bot(dialogue={"provider": f"{ONCE_ONLY},fake", "options": options})
    async with serving(tmp_path, templates) as server:
        call_sid = await transferred(server)
        async with stream(server.stream_url, call_sid=call_sid) as peer:
            await peer.start()
            await line(peer)
            await peer.speak(LINE.pcm)
            await line(peer)
            turns = await hang_up(server, peer)
        assert turns[-1].text == "You said: one"


async def test_without_another_dialogue_the_caller_hears_that_we_are_sorry(tmp_path: Path) -> None:
    """And the call ends cleanly."""
    templates = desk_bot(dialogue={"provider": ONCE_ONLY, "options": {"script": ASKS}})
    async with serving(tmp_path, templates) as server:
        call_sid = await transferred(server)
        async with stream(server.stream_url, call_sid=call_sid) as peer:
            await peer.start()
            assert await peer.close_code() == 1000
        call = await server.until_over(call_sid)
        assert (call.ended_by, call.end_reason) == (EndedBy.SERVER, "dialogue failed")


async def test_a_call_that_comes_back_has_its_place_in_a_full_house(tmp_path: Path) -> None:
    """Who was in conversation is not told to call again; a new caller is."""
    async with serving(tmp_path, desk_bot(*ASKS), MAX_CALLS="1") as server:
        call_sid = await transferred(server)
        async with stream(server.stream_url) as other:
            await other.start()
            await line(other)
            async with stream(server.stream_url, call_sid=call_sid) as peer:
                await peer.start()
                await line(peer)
                assert server.bridge.desk.admission.calls == 2
                async with stream(server.stream_url) as third:
                    await third.start()
                    assert await third.close_code() == 1008
                await hang_up(server, peer)
            await hang_up(server, other)
        assert server.bridge.desk.admission.calls == 0
