"""Faults in what the user's own system is told, and when."""

from __future__ import annotations

from tests.mutations.mutation import Module, Mutation

_CIRCUIT = Module(
    "bridge/exobridge/webhooks/circuit.py",
    ("tests/webhooks/test_circuit.py",),
    (
        Mutation(
            "return 0 if self.wait(now) else 1",
            "return 1",
            "a receiver that is down is hammered",
        ),
        Mutation("self.probe = self._probes\n", "self.probe = 0\n", "all probe at once"),
        Mutation("if probe == self.probe:", "if True:", "two probe at once"),
        Mutation("/ 60", "/ 6", "a receiver that is back is found late"),
        Mutation(
            "self._failures, self._since, self._until = 0, None, None",
            "self._until = None",
            "failures of long ago count",
        ),
        Mutation("and not hold:", "and hold:", "Retry-After is not heeded"),
        Mutation("max(self._until or now, ", "max(now, ", "a longer wish is cut short"),
        Mutation("<= LONGEST_HOLD else", "else", "a clock that is set back holds all up"),
    ),
)

_MESSAGES = Module(
    "bridge/exobridge/webhooks/messages.py",
    ("tests/webhooks/test_messages.py",),
    (
        Mutation(
            "or call.outcome is not before.outcome)",
            "or before.outcome is None)",
            "an end that turns out otherwise is not told",
        ),
        Mutation(
            "call.state is State.ENDED and (before is None or call.outcome is not before.outcome)",
            "call.state is State.ENDED",
            "a call ends with each fact that comes later",
        ),
        Mutation(
            "call.decision or call.started_at or call.placed.dial",
            "True",
            "calls of others are told of",
        ),
        Mutation(
            "kind if kind == types.CALL_STARTED else event.key",
            "event.key",
            "a call begins twice under two ids",
        ),
        Mutation(
            "in (None, Decision.REFUSE)",
            "in (None,)",
            "a call that was refused begins",
        ),
        Mutation(
            "transfer.status.value, transfer.number)",
            "transfer.number, transfer.number)",
            "what becomes of a transfer is not told",
        ),
        Mutation("if kind in self._wanted", "", "what is not wanted is told"),
    ),
)

_DELIVERY = Module(
    "bridge/exobridge/webhooks/delivery.py",
    ("tests/webhooks/test_delivery.py",),
    (
        Mutation("self._circuit.leave(probe)", "pass", "a probe that was stopped shuts the way"),
        Mutation("answer.status >= 500", "answer.status >= 400", "a refusal is an outage"),
        Mutation("answer.status == _OVERLOADED or ", "", "an overload is a refusal"),
        Mutation("if not answer.is_taken:", "if False:", "what is refused counts as taken"),
        Mutation("expire=EXPIRE_SECONDS", "expire=0.0", "nothing is ever given up"),
        Mutation("keep=keep_days * DAY", "keep=0.0", "what is over is kept for long"),
    ),
)

_LINES = Module(
    "bridge/exobridge/store/job_rows.py",
    ("tests/store/test_lines.py",),
    (
        Mutation("func.min(table.c.id)", "func.max(table.c.id)", "a line goes backwards"),
        Mutation(", ~active)", ")", "two of a line are active"),
        Mutation(
            "JobState.QUEUED if job.line else JobState.WAITING",
            "JobState.QUEUED",
            "jobs of no line are never done",
        ),
    ),
)

MODULES = (_CIRCUIT, _MESSAGES, _DELIVERY, _LINES)
