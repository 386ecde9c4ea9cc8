"""The frames of the bot, held to the documents."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.simulator.bot import BotClear, BotMark, BotMedia, Parsed, parse
from exobridge.simulator.rules import Breach, Rule, Severity, ViolationLog


def frame(event: str, **fields: Any) -> str:
    """A frame of the stream ``S``."""
    return json.dumps({"event": event, "stream_sid": "S", **fields})


def media(audio: bytes) -> str:
    """A media frame, with its numbers."""
    body = {"payload": base64.b64encode(audio).decode(), "chunk": "2", "timestamp": 100}
    return frame("media", sequence_number=4, media=body)


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        (media(bytes(320)), BotMedia(bytes(320))),
        (media(bytes(100_000 - 160)), BotMedia(bytes(100_000 - 160))),
        (frame("mark", mark={"name": "end"}), BotMark("end")),
        (frame("clear"), BotClear()),
        (frame("clear", sequence_number=4, extra={"a": [1]}), BotClear()),
    ],
)
def test_what_is_allowed_breaks_no_rule(message: str, wanted: object) -> None:
    """What else a frame holds is no matter."""
    assert parse(message, "S").frame == wanted
    assert all(breach.rule is Rule.CHUNK_STEP for breach in parse(message, "S").breaches)


@pytest.mark.parametrize(
    ("message", "rule"),
    [
        (b"{}", Rule.BINARY_FRAME),
        ("", Rule.NOT_JSON),
        ("{", Rule.NOT_JSON),
        ('{"x":' + "[" * 100_000, Rule.NOT_JSON),
        ("[]", Rule.MISSING_FIELD),
        ("{}", Rule.MISSING_FIELD),
        ('{"event":1}', Rule.MISSING_FIELD),
        ('{"event":"clear"}', Rule.MISSING_FIELD),
        ('{"event":"clear","streamSid":"S"}', Rule.MISSING_FIELD),
        (frame("mark"), Rule.MISSING_FIELD),
        (frame("mark", mark={}), Rule.MISSING_FIELD),
        (frame("mark", mark={"name": 1}), Rule.MISSING_FIELD),
        (frame("media"), Rule.MISSING_FIELD),
        (frame("media", media={"payload": None}), Rule.MISSING_FIELD),
        (frame("hangup"), Rule.UNKNOWN_EVENT),
        ('{"event":"clear","stream_sid":"T"}', Rule.WRONG_STREAM_SID),
        (frame("media", media={"payload": "AAA"}), Rule.BAD_BASE64),
        (frame("media", media={"payload": "AA AA"}), Rule.BAD_BASE64),
        (frame("media", media={"payload": "é"}), Rule.BAD_BASE64),
        (media(bytes(100_160)), Rule.CHUNK_TOO_LARGE),
    ],
)
def test_a_broken_rule_is_named(message: str | bytes, rule: Rule) -> None:
    """The frame is ignored, as Exotel would, and the rule is written down."""
    parsed = parse(message, "S")
    assert parsed.frame is None
    assert [breach.rule for breach in parsed.breaches] == [rule]


def test_the_other_spelling_is_named() -> None:
    """Who sends streamSid is told that this is the reason."""
    parsed = parse('{"event":"clear","streamSid":"S"}', "S")
    assert parsed.breaches[0].detail == "clear without stream_sid, but with streamSid"


def test_an_odd_chunk_is_heard_all_the_same() -> None:
    """319 bytes are played; the rule is broken."""
    parsed = parse(media(bytes(319)), "S")
    assert parsed == Parsed(BotMedia(bytes(319)), (Breach(Rule.CHUNK_STEP, "319 bytes"),))


def test_a_chunk_without_audio_is_warned_of() -> None:
    """It plays nothing, and every document names a minimum."""
    assert parse(media(b""), "S") == Parsed(BotMedia(b""), (Breach(Rule.CHUNK_EMPTY),))


@pytest.mark.parametrize(
    ("numbers", "missing"),
    [
        ({}, ("sequence_number", "chunk", "timestamp")),
        ({"sequence_number": 1, "chunk": 1, "timestamp": 0}, ()),
        ({"sequence_number": "1", "chunk": "1", "timestamp": "0"}, ()),
        ({"sequence_number": 1, "chunk": 1, "timestamp": 20.5}, ()),
        ({"sequence_number": 1, "chunk": 1}, ("timestamp",)),
        ({"sequence_number": "", "chunk": None, "timestamp": "½"}, (*"sct",)),
        ({"sequence_number": True, "chunk": [1], "timestamp": {}}, (*"sct",)),
    ],
)
def test_the_numbers_that_are_missing_are_named(
    numbers: dict[str, Any], missing: tuple[str, ...]
) -> None:
    """Texts and numbers both count; anything else is as good as nothing. The audio is played."""
    sequence = {key: value for key, value in numbers.items() if key == "sequence_number"}
    body = {key: value for key, value in numbers.items() if key != "sequence_number"}
    payload = base64.b64encode(bytes(320)).decode()
    parsed = parse(frame("media", **sequence, media={**body, "payload": payload}), "S")
    names = {name[0]: name for name in ("sequence_number", "chunk", "timestamp")}
    assert parsed == Parsed(BotMedia(bytes(320), tuple(names.get(m, m) for m in missing)))


@given(
    st.one_of(
        st.text(),
        st.binary(),
        st.builds(
            json.dumps,
            st.recursive(
                st.none() | st.integers() | st.text(),
                lambda inner: (
                    st.lists(inner)
                    | st.dictionaries(
                        st.sampled_from(["event", "stream_sid", "media", "payload", "mark", "x"]),
                        inner,
                    )
                ),
            ),
        ),
    )
)
def test_no_input_crashes(message: str | bytes) -> None:
    """Whatever comes is a frame or a breach, or both."""
    parsed = parse(message, "S")
    assert parsed.frame is not None or parsed.breaches


def test_the_log_stays_small() -> None:
    """A rule broken without end is counted, not stored."""
    log = ViolationLog(per_rule=2)
    kept = [log.add(Breach(Rule.NOT_JSON, "x"), float(at)) for at in range(5)]
    assert [violation is not None for violation in kept] == [True, True, False, False, False]
    assert log.counts == {Rule.NOT_JSON: 5}
    assert [violation.at_ms for violation in log.kept] == [0.0, 1.0]
    assert log.kept[0].severity is Severity.ERROR
