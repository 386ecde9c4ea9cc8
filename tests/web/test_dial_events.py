"""``/exotel/dial-events`` over real sockets."""

from __future__ import annotations

from pathlib import Path

from exobridge.call.events import EventKind
from tests.web.dialling import (
    ASHA,
    ASK,
    NOBODY,
    ask,
    dialling,
    hand_over,
)


async def test_dial_events_are_kept(tmp_path: Path) -> None:
    """Any subset, GET or POST, repeated once; what is no known event is passed over."""
    async with dialling(tmp_path) as (server, http):
        await hand_over(server)
        told = {
            **ASK,
            "CallSid": "c",
            "DialWhomNumber": "09811122233",
            "AgentEmail": "a@example.com",
        }
        ringing = {**told, "EventType": "Ringing", "Status": "busy", "CurrentTime": "x"}
        for answer in (
            await http.get("/exotel/dial-events", params=ringing),
            await http.get("/exotel/dial-events", params=ringing),
            await http.post("/exotel/dial-events", data={**told, "EventType": "Answered"}),
            await http.get("/exotel/dial-events", params={**told, "EventType": "Sneezed"}),
            await http.get("/exotel/dial-events", params=told),
        ):
            assert (answer.status_code, answer.text) == (200, "")
        await server.bridge.store.flush()
        known = await server.bridge.store.events("c")
        kept = [dict(event.data) for event in known if event.kind is EventKind.DIAL]
        assert kept == [
            {"event_type": "Ringing", "number": ASHA, "status": "busy"},
            {"event_type": "Answered", "number": ASHA, "status": ""},
        ]
        outcomes = [entry["outcome"] for entry in server.log("webhook")]
        assert outcomes == ["ringing", "ringing", "answered", "ignored", "ignored"]
        assert await ask(http) == NOBODY  # somebody has the caller
