"""Faults in who is called when, and in what is made of the answers."""

from __future__ import annotations

from tests.mutations.mutation import Module, Mutation

_RULES = Module(
    "bridge/exobridge/outbound/rules.py",
    ("tests/outbound/test_rules.py",),
    (
        Mutation("OPENS, CLOSES = time(9), time(21)", "OPENS, CLOSES = time(9), time(22)", "late"),
        Mutation("MARGIN = timedelta(seconds=90)", "MARGIN = timedelta(0)", "it rings after nine"),
        Mutation("if at > now and may_call(", "if may_call(", "the next opening was yesterday"),
        Mutation("attempts >= policy.attempts", "attempts > policy.attempts", "one call too many"),
        Mutation(
            "result.outcome not in policy.retry_on", "False", "who has answered is called again"
        ),
        Mutation("if call.end_reason == MACHINE:", "if False:", "a machine is taken for a human"),
        Mutation(
            "if call.streams:  # its own end does not matter: it had been answered",
            "if False:",
            "a call whose line broke counts as failed",
        ),
    ),
)

_ASKING = Module(
    "bridge/exobridge/outbound/asking.py",
    ("tests/outbound/test_asking.py",),
    (
        Mutation(
            'return Meaning("unsure")', 'return Meaning("again", "way")', "somebody is called twice"
        ),
        Mutation(
            "UnauthorisedError, NoBalanceError, ForbiddenError)",
            "UnauthorisedError,)",
            "all are burnt",
        ),
        Mutation("if is_new or not self.left(now):", "if True:", "ten at once hold it for an hour"),
        Mutation(
            "self._troubles, self._unsure, self.until,", "self._unsure, _, _,", "it never passes"
        ),
        Mutation('_OF_NUMBER = ("NDNC", "DND")', "_OF_NUMBER = ()", "one number stops all calls"),
        Mutation("self._not_found += 1", "pass", "a wrong SID costs everybody their call"),
    ),
)

_PACE = Module(
    "bridge/exobridge/store/dial_pace.py",
    ("tests/outbound/test_asking.py",),
    (
        Mutation(
            "per_minute - len(times), burst - in_burst) - claimed",
            "per_minute - len(times), burst - in_burst)",
            "two processes ask for too many",
        ),
        Mutation(
            "limits.places - limits.calls - self.outside",
            "limits.places - self.outside",
            "nobody gets through to us",
        ),
    ),
)

_CLAIMS = Module(
    "bridge/exobridge/store/dial_claims.py",
    ("tests/outbound/test_claims.py",),
    (
        Mutation(
            ".where(due_of(source.batch_id, now), ~is_called)",
            ".where(due_of(source.batch_id, now))",
            "a telephone rings for two calls",
        ),
        Mutation(
            "and_(batches.c.state == RUNNING, exists()",
            'and_(batches.c.state != "", exists()',
            "a paused batch is called",
        ),
        Mutation("return waiting + sorted(", "return served + sorted(", "a batch starves"),
    ),
)

_STEPS = Module(
    "bridge/exobridge/store/dial_steps.py",
    ("tests/outbound/test_ledger.py", "tests/outbound/test_claims.py"),
    (
        Mutation(
            "if paused or minute_is_full(connection, per_minute, now):",
            "if paused:",
            "more than 200 a minute",
        ),
        Mutation(
            "known.state is not DialState.CLAIMED or known.lease != dial.lease",
            "known.state is not DialState.CLAIMED",
            "two processes ask for one call",
        ),
        Mutation(
            "known.state is not DialState.PLACED or known.call_sid != dial.call_sid",
            "known.state is not DialState.PLACED",
            "the end of the first call settles the second",
        ),
        Mutation('"attempts": dials.c.attempts - 1,', "", "a 429 costs an attempt"),
    ),
)

_UPKEEP = Module(
    "bridge/exobridge/store/dial_upkeep.py",
    ("tests/outbound/test_ledger.py", "tests/outbound/test_claims.py"),
    (
        Mutation(
            "unsure = unsure.values(state=DialState.UNSURE,",
            "unsure = unsure.values(state=DialState.WAITING,",
            "who died while asking has somebody called twice",
        ),
    ),
)

MODULES = (_RULES, _ASKING, _PACE, _CLAIMS, _STEPS, _UPKEEP)
