"""What is told of a stream that was measured. Sections named are those of Exotel's documents."""

from __future__ import annotations

from typing import Any

import pytest

from exobridge.simulator.flows.spelling import NOT_ESTABLISHED, StreamFacts
from exobridge.simulator.report import CallReport, EndedBy, Outcome


def measured(outcome: Outcome, ended_by: EndedBy | None = None) -> StreamFacts:
    """What is told of a stream of 12.3 s."""
    report = CallReport(
        *("call", "stream", "pcm16", 8000, 20, outcome), ended_by=ended_by, duration_ms=12_300
    )
    return StreamFacts.of(report, "wss://bot.example.com/x")


@pytest.mark.parametrize(
    ("ended_by", "told"),
    [(EndedBy.CALLER, "user"), (EndedBy.BOT, "bot"), (EndedBy.LIMIT, "NA")],
)
def test_a_stream_that_went_well_tells_who_ended_it(ended_by: EndedBy, told: Any) -> None:
    """Voicebot applet, DisconnectedBy: user, bot or NA."""
    assert measured(Outcome.COMPLETED, ended_by) == StreamFacts(
        "stream", "completed", 12.3, disconnected_by=told, stream_url="wss://bot.example.com/x"
    )


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.NOT_ANSWERED, Outcome.NO_STREAM])
def test_a_stream_that_did_not_come_about_has_failed(outcome: Outcome) -> None:
    """Voicebot applet, Error: nobody disconnected it."""
    facts = measured(outcome)
    assert (facts.status, facts.disconnected_by, facts.error) == ("failed", "NA", NOT_ESTABLISHED)


def test_a_stream_that_broke_has_failed_by_the_bot() -> None:
    """It was established: there is no Error, and it lasted until then."""
    facts = measured(Outcome.DROPPED, EndedBy.NETWORK)
    assert (facts.status, facts.disconnected_by, facts.error) == ("failed", "bot", "")
    assert facts.seconds == 12.3


def test_a_call_at_its_limit_is_left_by_the_caller() -> None:
    """For the stream it is a hang-up."""
    facts = measured(Outcome.TIMED_OUT, EndedBy.CALLER)
    assert (facts.status, facts.disconnected_by) == ("completed", "user")
