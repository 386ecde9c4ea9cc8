"""Which facts are told, and what is said of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from exobridge.call import events as s
from exobridge.call.events import CallEvent, Decision, EndedBy, Turn
from exobridge.call.placed import PlacedCall
from exobridge.call.state import Call, apply
from exobridge.store.jobs import NewJob
from exobridge.webhooks.messages import Messages
from exobridge.webhooks.sender import body_of
from exobridge.webhooks.types import WEBHOOK_EVENTS
from tests.webhooks.world import AGENT, CALLER, EXOPHONE, TOLD, story

PAGE = Path(__file__).parent.parent.parent / "docs" / "reference" / "webhooks.md"
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def later(seconds: float) -> datetime:
    """Some time after ``NOW``."""
    return NOW + timedelta(seconds=seconds)


def told(facts: Iterable[CallEvent | Turn], wanted: Sequence[str] = WEBHOOK_EVENTS) -> list[NewJob]:
    """The webhooks of one call's facts."""
    messages, jobs = Messages(wanted), list[NewJob]()
    call: Call | None = None
    for fact in facts:
        if isinstance(fact, Turn):
            assert call is not None
            jobs += messages.of_turn(fact, call, NOW)
        else:
            before, call = call, apply(call, fact)
            jobs += messages.of_event(fact, before, call)
    return jobs


def types(jobs: Iterable[NewJob]) -> list[str]:
    """Their types."""
    return [str(job.payload["type"]) for job in jobs]


def of(job: NewJob, *path: str) -> Any:
    """A part of what one says."""
    found: Any = job.payload["data"]
    for name in path:
        found = found[name]
    return found


def ended(stream: str = "s-c", at: float = 60, by: EndedBy = EndedBy.CALLER) -> CallEvent:
    """A stream's end."""
    return s.stream_ended("c", later(at), stream_sid=stream, ended_by=by)


def accepted() -> CallEvent:
    """The answer."""
    return s.answer("c", NOW, decision=Decision.ACCEPT, template="shop", caller=CALLER)


def test_a_call_is_told_from_its_beginning_to_its_recording() -> None:
    """Each webhook once, in the order of the facts; each its own id, and all of one line."""
    jobs = told(story("c", NOW))
    assert tuple(types(jobs)) == TOLD
    assert len({job.key for job in jobs}) == len(jobs)
    assert {(job.kind, job.line, job.call_sid) for job in jobs} == {("webhook", "webhook:c", "c")}
    assert [job.key for job in told(story("c", NOW))] == [job.key for job in jobs]
    statuses = [of(job, "transfer", "status") for job in jobs if "transfer" in of(job)]
    assert statuses == ["pending", "dialling", "answered"]
    assert of(jobs[5], "call", "outcome") == "transferred"


def test_only_what_is_wanted_is_told() -> None:
    """By its type."""
    assert types(told(story("c", NOW), ["call.ended"])) == ["call.ended"]


def test_a_call_that_was_refused_only_ends() -> None:
    """It never began."""
    refused = s.answer("c", NOW, decision=Decision.REFUSE, reason="at-capacity")
    (job,) = told([refused])
    assert (job.payload["type"], of(job, "call", "reason")) == ("call.ended", "at-capacity")


def test_a_call_of_others_is_not_told_of() -> None:
    """Its flow tells us of it, and it never asked for an answer."""
    status = s.status("c", NOW, status="completed", event_type="terminal", data={})
    assert told([s.passthru("c", NOW, {"CallSid": "c"}), status]) == []


def test_a_second_stream_ends_the_call_anew() -> None:
    """After a transfer that failed the bot has the caller again: the call began once, and ended
    twice; the transfer failed in between."""
    back = s.stream_started("c", later(90), stream_sid="s2")
    jobs = told([*story("c", NOW, 0)[:4], back, ended("s2", 120)])
    assert types(jobs) == [
        *("call.started", "call.transfer", "call.ended"),
        *("call.transfer", "call.ended"),
    ]
    assert of(jobs[3], "transfer", "status") == "failed"
    assert [of(jobs[n], "call", "outcome") for n in (2, 4)] == ["transferred", "completed"]
    assert of(jobs[4], "call", "streams") == 2


def test_an_end_that_turns_out_otherwise_is_told_again() -> None:
    """Its outcome alone counts: what else is heard later changes nothing."""
    cut = ended(by=EndedBy.NETWORK)
    told_by_exotel = s.passthru("c", later(70), {}, stream_sid="s-c", ended_by=EndedBy.CALLER)
    details = s.details("c", later(200), status="completed", data={"seconds": 62})
    start = s.stream_started("c", later(1), stream_sid="s-c")
    jobs = told([accepted(), start, cut, told_by_exotel, details])
    assert types(jobs) == ["call.started", "call.ended", "call.ended"]
    assert [of(job, "call", "outcome") for job in jobs[1:]] == ["failed", "completed"]
    assert jobs[1].key != jobs[2].key


def test_a_stream_before_its_answer_begins_the_call_once() -> None:
    """Whichever comes first."""
    start = s.stream_started("c", later(1), stream_sid="s-c")
    assert types(told([start, accepted()])) == ["call.started"]


def placed() -> list[CallEvent]:
    """A call that we placed, and that nobody took."""
    call = PlacedCall(
        dial="d-5kq2",
        attempt=2,
        template="shop",
        caller=CALLER,
        called=EXOPHONE,
        custom_field="xb:d-5kq2:2",
        variables=(("name", "Asha"), ("order", "A-17")),
    )
    busy = s.status("c", later(20), status="busy", event_type="terminal", data={})
    return [s.placed("c", NOW, call), busy]


def test_a_call_that_we_place_is_told_with_its_dial() -> None:
    """When it is placed, and how it ended although nobody took it."""
    jobs = told(placed())
    assert types(jobs) == ["call.placed", "call.ended"]
    assert of(jobs[1], "call", "outcome") == "busy"
    variables = {"name": "Asha", "order": "A-17"}
    assert of(jobs[1], "call", "dial") == {"id": "d-5kq2", "attempt": 2, "variables": variables}


def test_a_fact_that_cannot_be_told_is_kept() -> None:
    """The log says so; the fact does not suffer."""

    messages = Messages(WEBHOOK_EVENTS)
    call = apply(None, accepted())
    # A role that there is not, on purpose.
    odd = Turn("c", "s-c", 1, "nobody", "words", 0, 1)  # type: ignore[arg-type]
    with capture_logs() as log:
        assert messages.of_turn(odd, call, NOW) == ()
    (line,) = log
    assert (line["event"], line["call_sid"]) == ("webhook not made", "c")
    assert "words" not in repr(line)


def examples() -> dict[str, Any]:
    """A webhook of each type, as its body is."""
    jobs = {str(job.payload["type"]): job for job in [*told(story("c", NOW)), *told(placed())[:1]]}
    return {
        kind: json.loads(body_of(jobs[kind].key, 40 + number, jobs[kind].payload))
        for number, kind in enumerate(WEBHOOK_EVENTS)
    }


def test_the_page_shows_what_is_sent() -> None:
    """An example of each type, to the letter."""
    blocks = re.findall(r"```json\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    shown = [json.loads(block) for block in blocks]
    assert {block["type"]: block for block in shown} == examples()
    assert AGENT in str(shown)
