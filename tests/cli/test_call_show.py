"""What ``exobridge call`` prints while a call goes on."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from exobridge.cli.call_show import Show
from exobridge.simulator import events
from exobridge.simulator.steps import CallerLine, LineKind


def line(kind: LineKind, *, answered: bool = True) -> CallerLine:
    """Its last sound is 2 s after the stream's begin."""
    return CallerLine(kind, "So.", 1000, 2100, 1000, 2000, answered=answered)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (line(LineKind.SAY), "answered after 395 ms"),
        (line(LineKind.BACKCHANNEL, answered=False), "went on after 395 ms"),
        (line(LineKind.SAY, answered=False), ""),
    ],
)
def test_only_an_answer_is_called_one(said: CallerLine, shown: str) -> None:
    """After a backchannel the bot goes on; what wants no answer is not timed."""
    out = StringIO()
    show = Show(Console(file=out))
    show.tell(events.CallerSpeaks(said))
    show.tell(events.BotSpeaks(2395))
    show.tell(events.BotSpeaks(9000))  # the next turn has no line before it
    assert out.getvalue().strip() == shown
