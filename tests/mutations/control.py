"""Faults in who may ask the control API, in what is read of a request, and in its lists."""

from __future__ import annotations

from tests.mutations.mutation import Module, Mutation

_DOOR = ("tests/web/control/test_door.py",)
_ROOMS = ("tests/web/control/test_rooms.py",)

_KEYS = Module(
    "bridge/exobridge/api_keys.py",
    ("tests/test_settings.py",),
    (
        Mutation("if len(secret) < MIN_KEY_CHARS:", "if not secret:", "a key may be guessed"),
        Mutation(
            "if names.count(name) > 1)",
            "if names.count(name) > 2)",
            "two go by one name in the log",
        ),
        Mutation(
            "for key in keys}) < len(keys):",
            "for key in keys}) < 1:",
            "one key has two roles",
        ),
        Mutation("if len(keys) > MAX_KEYS", "if len(keys) < 0", "every request tries any number"),
    ),
)

_GUARD = Module(
    "bridge/exobridge/web/control/keys.py",
    _DOOR,
    (
        Mutation(
            "key.secret.get_secret_value(), [offered]",
            "key.secret.get_secret_value(), [offered, key.secret.get_secret_value()]",
            "everybody has the last key",
        ),
        Mutation(
            "found = key", "found = self._keys[-1]", "every key is good for what the last one is"
        ),
    ),
)

_CONTROL = Module(
    "bridge/exobridge/web/control/control.py",
    _DOOR,
    (
        Mutation(
            "if known.role < operation.role:",
            "if known.role < operation.role - 1:",
            "a viewer calls people",
        ),
        Mutation(
            'headers={"allow": allowed}', 'headers={"allow": ""}', "nobody learns what is allowed"
        ),
        Mutation(
            "        if not done:\n",
            "        if False:\n",
            "an operation that hangs is an error of ours",
        ),
    ),
)

_ASKING = Module(
    "bridge/exobridge/web/control/asking.py",
    _DOOR,
    (
        Mutation("if size > most:", "if size > most * 99:", "a body has no end"),
        Mutation("if _holds_nul(value):", "if False:", "a NUL comes to the database"),
        Mutation(
            "any(map(_holds_nul, cast(Iterable[Any], value)))",
            "False",
            "a NUL in a list comes to the database",
        ),
        Mutation(
            'if "\\0" in "".join(name + value for name, value in given):',
            "if False:",
            "a NUL in a query comes to the database",
        ),
        Mutation("if n > 1 and name not in lists", "if n > 9", "of two values one counts"),
        Mutation("raw, strict=True", "raw, strict=False", "a text passes for a number"),
        Mutation(
            "if given != operation.request_media:", "if False:", "any media type passes for JSON"
        ),
    ),
)

_PAGING = Module(
    "bridge/exobridge/web/control/paging.py",
    _ROOMS,
    (
        Mutation("cursor(shown[-1])", "cursor(rows[-1])", "the first of the next page is lost"),
        Mutation("if len(rows) > limit", "if len(rows) >= limit", "a page follows that is empty"),
        Mutation("at.utcoffset() is None or", "", "a time without a zone is an error"),
        Mutation("or not 1970 <= at.year < 3000", "", "a time that cannot be UTC is an error"),
        Mutation("1 << 63", "1 << 99", "a number that no database takes is an error"),
    ),
)

_LISTING = Module(
    "bridge/exobridge/store/listing.py",
    ("tests/store/test_listing.py",),
    (
        Mutation(
            "table.c.call_sid < call_sid)",
            "table.c.call_sid > call_sid)",
            "of calls that began at once some are lost",
        ),
        Mutation("return order[:limit]", "return order", "pages of a number hold calls twice"),
        Mutation(
            "has_ended = which.state == State.ENDED",
            "has_ended = False",
            "all calls are gathered and sorted for a page of those that have ended",
        ),
        Mutation(
            "table.c.created_at < which.until", "table.c.created_at <= which.until", "too many"
        ),
    ),
)

_TRANSFERS = Module(
    "bridge/exobridge/web/control/transfers.py",
    _ROOMS,
    (
        Mutation(
            "each is not following and each.at <= following.at",
            "True",
            "a transfer that failed is not told any more",
        ),
    ),
)

MODULES = (_KEYS, _GUARD, _CONTROL, _ASKING, _PAGING, _LISTING, _TRANSFERS)
