"""Faults in who is served on which number, and in what is told of it."""

from __future__ import annotations

from tests.mutations.mutation import Module, Mutation

_BOOK = Module(
    "bridge/exobridge/exophones/book.py",
    ("tests/exophones/test_book.py",),
    (
        Mutation(
            "{**served, **(environment or {})}",
            "{**(environment or {}), **served}",
            "what is kept goes before the environment",
        ),
        Mutation(
            "for row in rows if row.template is not None",
            "for row in rows",
            "what the account alone knows shuts everybody out",
        ),
        Mutation(
            "return found if found in self.in_force else None",
            "return found",
            "a template that is gone breaks the call",
        ),
        Mutation(
            "if version != self._seen:",
            "if version > self._seen:",
            "a number that is removed elsewhere is served on",
        ),
        Mutation(
            "if self.templates != before:",
            "if False:",
            "a template that comes into use is not made ready",
        ),
    ),
)

_TROUBLES = Module(
    "bridge/exobridge/exophones/troubles.py",
    ("tests/exophones/test_troubles.py",),
    (
        Mutation("now - latest.last_at > QUIET", "now - latest.last_at < QUIET", "silence is fine"),
        Mutation("in (401, 403)", "in (401,)", "a missing secret is not told"),
        Mutation("visit.last_status >= 500", "visit.last_status > 599", "errors are not told"),
        Mutation(
            "if not asked & set(OF_A_BOT):",
            "if asked & set(OF_A_BOT):",
            "callbacks pass for calls",
        ),
        Mutation(
            "if not own.in_account or own.template is None:",
            "if own.template is None:",
            "a number that was never looked for is told to have no flow",
        ),
        Mutation(
            "elif wanted and own.flow_app_id != wanted:",
            "elif own.flow_app_id != wanted:",
            "every flow is wrong where none is named",
        ),
    ),
)

_LISTING = Module(
    "bridge/exobridge/exophones/listing.py",
    ("tests/exophones/test_service.py", "tests/exophones/test_troubles.py"),
    (
        Mutation(
            "return self.applet_app_id or of_template",
            "return of_template or self.applet_app_id",
            "the template's flow goes before the number's",
        ),
        Mutation(
            "None if row.synced_at is None else bool(row.exophone_sid)",
            "True",
            "a number that the account has no more seems to be there",
        ),
        Mutation(
            "name=own.name or found.name",
            "name=found.name",
            "the account's name goes before the user's",
        ),
    ),
)

_VISITS = Module(
    "bridge/exobridge/exophones/visits.py",
    ("tests/exophones/test_visits.py",),
    (
        Mutation(
            "for visit in counted.values():",
            "for visit in ():",
            "what could not be written is lost",
        ),
        Mutation(
            'read_direction(given.text("Direction")) == "outgoing"',
            'read_direction(given.text("Direction")) == "incoming"',
            "the caller's number passes for ours",
        ),
        Mutation(
            '"" if webhook.status in REFUSED else stated_exophone(given)',
            "stated_exophone(given)",
            "whoever has no secret fills the list with numbers",
        ),
        Mutation("number and len(self._named) < MAX_NUMBERS", "number", "the list has no end"),
        Mutation("deque(maxlen=MAX_WAITING)", "deque()", "a flood fills the memory"),
    ),
)

_ROWS = Module(
    "bridge/exobridge/store/numbers.py",
    ("tests/exophones/test_service.py",),
    (
        Mutation("if served == [number]:", "if False:", "the last number opens the door"),
        Mutation(
            "if keep_one and wish.template is None:",
            "if keep_one and False:",
            "the last template opens the door",
        ),
        Mutation(
            'told["name"] = row.name or found.name',
            'told["name"] = found.name',
            "the account's name takes the user's place",
        ),
        Mutation(
            'return {"exophone_sid": "", "flow_url": ""}',
            "return {}",
            "a number that is gone is not marked",
        ),
    ),
)

MODULES = (_BOOK, _TROUBLES, _LISTING, _VISITS, _ROWS)
