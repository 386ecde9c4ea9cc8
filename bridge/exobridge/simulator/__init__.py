"""Exotel's side of a call, as a library.

It plays Exotel against any server: asks the webhook, opens the media stream, speaks its caller's
lines, plays the bot's audio in real time, and reports what was said, how fast, and which of
Exotel's rules were broken. It shares no code with :mod:`exobridge.exotel`, so that each side
checks the other. ``exobridge call`` and the tests stand on it.

The pure parts, tested in virtual time: ``wire`` and ``bot`` (the words), ``playout`` and ``ear``
(what is heard, and when), ``steps``, ``waiting`` and ``caller`` (what is said, and when),
``measure`` and ``verdict``. The skin: ``answer``, ``handshake``, ``stream``, ``call``. On top:
``scripts``, callers whose script is a file.
"""

from exobridge.simulator.call import Exotel
from exobridge.simulator.lines import Clip
from exobridge.simulator.plan import CallPlan, Limits, PlanError
from exobridge.simulator.report import CallReport, EndedBy, Outcome, Turn
from exobridge.simulator.rules import Rule, Severity, Violation
from exobridge.simulator.steps import (
    BargeIn,
    BotDone,
    BotEnds,
    Dtmf,
    HangUp,
    Hear,
    Patience,
    PlayWav,
    Say,
    Silence,
    Step,
    Wait,
)
from exobridge.simulator.wire import Dialect, Ids, Keys

__all__ = [
    "BargeIn",
    "BotDone",
    "BotEnds",
    "CallPlan",
    "CallReport",
    "Clip",
    "Dialect",
    "Dtmf",
    "EndedBy",
    "Exotel",
    "HangUp",
    "Hear",
    "Ids",
    "Keys",
    "Limits",
    "Outcome",
    "Patience",
    "PlanError",
    "PlayWav",
    "Rule",
    "Say",
    "Severity",
    "Silence",
    "Step",
    "Turn",
    "Violation",
    "Wait",
]
