"""Faults in how calls are placed, and known when they come to us."""

from __future__ import annotations

from tests.mutations.mutation import Module, Mutation

_EXCHANGE = Module(
    "bridge/exobridge/exotel/api/exchange.py",
    ("tests/exotel/test_api_placing.py",),
    (
        Mutation(
            "may_have_happened=status >= 500",
            "may_have_happened=False",
            "a call that a broken answer hides is placed again",
        ),
        Mutation(
            "raise ExotelTimeoutError(problem, may_have_happened=_was_sent(error))",
            "raise ExotelTimeoutError(problem)",
            "a call whose answer is late is placed again",
        ),
        Mutation(
            "httpx.ConnectError | httpx.ConnectTimeout",
            "httpx.ConnectTimeout",
            "nobody is called any more for whom Exotel could not be reached",
        ),
        Mutation(
            'if question.method != "GET" or self._now()',
            "if self._now()",
            "a request for a call waits at the gate until its own time is up",
        ),
    ),
)

_DESK = Module(
    "bridge/exobridge/desk.py",
    ("tests/test_desk_placed.py",),
    (
        Mutation(
            "if placed_as and (known is None or known.placed.custom_field != placed_as):",
            "if False:",
            "the URL of one call's stream opens any other's",
        ),
        Mutation(
            "and shut and not _is_placed(known)",
            "and shut",
            "we call somebody and say that we are closed",
        ),
        Mutation(
            "if _is_placed(known):  # the telephone rings at our wish",
            "if False:",
            "whom we call is turned away as the server stops",
        ),
        Mutation(
            "if read_custom_field(custom_field) is None:",
            "if True:",
            "a call that is answered before Exotel has told of it is a stranger's",
        ),
        Mutation(
            'if read_direction(started.direction) == "incoming":',
            "if False:",
            "who calls us while we call them is taken for the call that we placed",
        ),
        Mutation(
            "return name, _as_known(verdict, known) if _is_placed(known) else verdict",
            "return name, verdict",
            "the ExoPhone is taken for the human",
        ),
    ),
)

_RECORD = Module(
    "bridge/exobridge/call/plan.py",
    ("tests/call/test_placed.py",),
    (
        Mutation(
            "**dict(routed), **dict(placed)}",
            "**dict(placed), **dict(routed)}",
            "a rule's words take the place of the person's own",
        ),
    ),
)

_TOKENS = Module(
    "bridge/exobridge/web/tokens.py",
    ("tests/web/test_tokens.py",),
    (
        Mutation(
            'salt="exobridge.dial"',
            'salt="exobridge.stream"',
            "a call's token does for a dial, and a dial's for a call",
        ),
        Mutation(
            "max(self._max_age_s, DIAL_SECONDS)",
            "self._max_age_s",
            "the token is no good any more when the phone is picked up",
        ),
    ),
)

_TEMPLATE = Module(
    "bridge/exobridge/templates/outbound.py",
    ("tests/templates/test_outbound.py",),
    (
        Mutation(
            "own = call_seconds + GOODBYE_SECONDS + talk_seconds",
            "own = call_seconds",
            "Exotel cuts the bot's goodbye off, and the human whom it was handed to",
        ),
    ),
)

_DETAILS = Module(
    "bridge/exobridge/details.py",
    ("tests/test_details.py::test_a_placed_call_is_not_asked_about_while_it_rings",),
    (
        Mutation(
            "call.placed.ring_seconds if event.kind is EventKind.PLACED else 0",
            "0",
            "every call is asked about while it rings",
        ),
    ),
)

MODULES = (_EXCHANGE, _DESK, _RECORD, _TOKENS, _TEMPLATE, _DETAILS)
