"""What differs between then and now. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from exobridge.replay.seen import Seen
from exobridge.wire.masking import Masker
from exobridge.wire.records import Webhook

TOLERANCE_MS = 500.0
"""So much earlier or later is the same: providers take their time, and not always the same."""

MAX_SHOWN = 200
"""Characters of a body that are shown."""

_URL_HEAD = re.compile(r"(?:wss?|https?)://[^/\s\"'<>?]*", re.IGNORECASE)

_WHICH_ALIKE = re.compile(r"(?<=\*[0-9]{3})/[0-9]{1,3}(?![0-9])")
"""Behind a masked number, the which it is of those that look alike: that is counted anew."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One.

    Attributes:
        where: Which stream or webhook.
        what: What of it.
        then: As it was kept; ``now`` as it is.
    """

    where: str
    what: str
    then: str
    now: str

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {"where": self.where, "what": self.what, "then": self.then, "now": self.now}


class Comparison:
    """Collects the differences of one place."""

    def __init__(self, where: str) -> None:
        self._where = where
        self.found: list[Difference] = []

    def same(self, what: str, then: object, now: object) -> None:
        """Both are to be equal."""
        if then != now:
            self._differs(what, _word(then), _word(now))

    def near(self, what: str, then: float | None, now: float | None, tolerance_ms: float) -> None:
        """Both are to be the same time, or none."""
        if then is None and now is None:
            return
        if then is None or now is None or abs(then - now) > tolerance_ms:
            self._differs(what, _ms(then), _ms(now))

    def _differs(self, what: str, then: str, now: str) -> None:
        self.found.append(Difference(self._where, what, then, now))


def compare_streams(
    where: str, then: Seen, now: Seen, tolerance_ms: float = TOLERANCE_MS
) -> list[Difference]:
    """What differs between two streams."""
    with_times = Comparison(where)
    with_times.near("greeting", then.greeting_ms, now.greeting_ms, tolerance_ms)
    with_times.same("spans of the bot's audio", len(then.spans), len(now.spans))
    for number, (before, after) in enumerate(zip(then.spans, now.spans, strict=False), start=1):
        span = f"span {number} of the bot's audio"
        with_times.near(f"{span}: begins", before.start_ms, after.start_ms, tolerance_ms)
        lengths = (before.end_ms - before.start_ms, after.end_ms - after.start_ms)
        with_times.near(f"{span}: length", *lengths, tolerance_ms)
    for number, (was, is_now) in enumerate(
        zip(then.clears_ms, now.clears_ms, strict=False), start=1
    ):
        with_times.near(f"clear {number}", was, is_now, tolerance_ms)
    with_times.near("duration", then.duration_ms, now.duration_ms, tolerance_ms)
    return with_times.found + compare_kinds(where, then, now)


def compare_kinds(where: str, then: Seen, now: Seen) -> list[Difference]:
    """What differs whenever it happens."""
    kinds = Comparison(where)
    if then.encoding is not None and now.encoding is not None:
        formats = [f"{seen.encoding}, {seen.sample_rate} Hz" for seen in (then, now)]
        kinds.same("format of the bot's audio", *formats)
    kinds.same("marks", then.marks, now.marks)
    kinds.same("clears", len(then.clears_ms), len(now.clears_ms))
    kinds.same("ended by", str(then.ended_by), str(now.ended_by))
    kinds.same("close code", then.close_code, now.close_code)
    kinds.same("rules broken", _rules(then), _rules(now))
    return kinds.found


def compare_webhooks(
    where: str, then: Webhook, now: Webhook, ids: Mapping[str, str]
) -> list[Difference]:
    """What differs between two answers, times apart.

    Args:
        ids: The ids that are played, by those that were kept.
    """
    answers = Comparison(where)
    answers.same("status", then.status, now.status)
    answers.same("content type", _type(then), _type(now))
    for kept, played in ids.items():
        now = msgspec.structs.replace(now, body=now.body.replace(played, kept))
    answers.same("body", _body(then.body), _body(Masker().json(now.body)))
    return answers.found


def _type(webhook: Webhook) -> str:
    return webhook.content_type.partition(";")[0].strip().lower()


def _body(text: str) -> str:
    """A body without what differs from server to server."""
    text = _WHICH_ALIKE.sub("", _URL_HEAD.sub("https://…", text))
    try:
        text = json.dumps(json.loads(text), sort_keys=True)
    except (ValueError, RecursionError):
        text = text.strip()
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}… ({len(text)} characters)"


def _rules(seen: Seen) -> str:
    return ", ".join(str(rule) for rule, _ in seen.broken)


def _word(value: object) -> str:
    return "none" if value is None or value == "" else str(value)


def _ms(value: float | None) -> str:
    return "none" if value is None else f"{value:.0f} ms"
