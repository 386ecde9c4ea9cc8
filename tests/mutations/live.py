"""Faults in what an operator does to a call under way, and in what is told of calls meanwhile."""

from __future__ import annotations

from tests.mutations.mutation import Module, Mutation

_STEERING = Module(
    "bridge/exobridge/call/steering.py",
    ("tests/call/test_steering.py",),
    (
        Mutation(
            "self._waiting.appendleft(self._unheard)",
            "pass",
            "a line that the caller talked over is lost",
        ),
        Mutation(
            "self._policy.is_cut(now)\n",
            "pass\n",
            "the bot is cut, and the rules of turn-taking do not know",
        ),
        Mutation(
            "and self._policy.may_be_cut(now)",
            "",
            "a line cuts the caller, or what must be heard",
        ),
        Mutation(
            "elif not self._policy.is_free or self._floor.busy or self._answering.busy:",
            "elif False:",
            "a line is said into the answer",
        ),
        Mutation(
            "        self._policy.bot_begins()\n",
            "",
            "who speaks before a line is heard does not stop it",
        ),
        Mutation(
            "if len(self._waiting) >= MAX_WAITING:",
            "if False:",
            "lines pile up without end",
        ),
        Mutation("operator=True", "operator=False", "the dialogue is told nothing of the line"),
        Mutation(
            "if self._leaving:",
            "if False:",
            "a speech-to-speech call is handed over twice",
        ),
    ),
)

_ORDERS = Module(
    "bridge/exobridge/live/orders.py",
    ("tests/live/test_standing.py",),
    (
        Mutation(
            "return Refusal.HANDED_OVER",
            "return None",
            "an order waits for a process that no longer has the caller",
        ),
        Mutation(" and not over:", ":", "a call that is over is told to be with a human"),
        Mutation(
            "if call.state is State.STREAMING:",
            "if call.state is not State.ENDED:",
            "an order is laid down for a call whose line is not open",
        ),
    ),
)

_FEED = Module(
    "bridge/exobridge/store/feed.py",
    ("tests/live/test_feed.py",),
    (
        Mutation(
            "if end is not None and at > end:",
            "if False:",
            "what of two lists lies on the next page is told out of order",
        ),
        Mutation(
            "place = Cursor(place.event, row.id)",
            "place = Cursor(place.event, place.turn)",
            "who comes again is told a turn twice",
        ),
        Mutation("yield table.c.id <= until", "pass", "who joins is told the latest twice"),
    ),
)

MODULES = (_STEERING, _ORDERS, _FEED)
