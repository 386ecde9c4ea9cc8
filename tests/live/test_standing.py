"""Whether a call that another process may hold takes an order, by its record."""

from __future__ import annotations

from datetime import timedelta

import pytest

from exobridge.call import events
from exobridge.call.events import CallEvent, Decision, EndedBy
from exobridge.call.orders import Result
from exobridge.call.state import replay
from exobridge.live.orders import Refusal, standing
from tests.virtual_call import EPOCH

ANSWERED = events.answer("c", EPOCH, decision=Decision.ACCEPT)
STARTED = events.stream_started("c", EPOCH + timedelta(seconds=1), stream_sid="s")
ASKED = events.transfer_requested(
    "c", EPOCH + timedelta(seconds=2), stream_sid="s", utterance="u", target=""
)
LEFT = events.stream_ended(
    "c", EPOCH + timedelta(seconds=3), stream_sid="s", ended_by=EndedBy.BOT, reason="transfer"
)
TAKEN = events.dial(
    "c",
    EPOCH + timedelta(seconds=9),
    event_type="Answered",
    number="+919811122244",
    status="busy",
)
OVER = events.status(
    "c", EPOCH + timedelta(seconds=60), status="completed", event_type="terminal", data={}
)


@pytest.mark.parametrize(
    ("told", "stands"),
    [
        ((), Refusal.UNKNOWN_CALL),
        ((ANSWERED,), Result.NOT_OPEN),
        ((ANSWERED, STARTED), None),
        ((ANSWERED, STARTED, ASKED), None),
        ((STARTED, ASKED, LEFT), Refusal.HANDED_OVER),
        ((STARTED, ASKED, LEFT, TAKEN), Refusal.HANDED_OVER),
        ((STARTED, ASKED, LEFT, OVER), Refusal.CALL_OVER),
        ((STARTED, ASKED, LEFT, TAKEN, OVER), Refusal.CALL_OVER),
        ((STARTED, LEFT), Refusal.CALL_OVER),
    ],
)
def test_a_call_takes_orders_while_its_stream_is_open(
    told: tuple[CallEvent, ...], stands: Refusal | Result | None
) -> None:
    """Before and after, it is said why not."""
    assert standing(replay(told)) is stands
