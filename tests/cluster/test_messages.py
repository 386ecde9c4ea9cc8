"""What the supervisor and a worker say to each other, as bytes."""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.cluster.messages import (
    MAX_FRAME,
    AllBegun,
    AllMetrics,
    AskCalls,
    AskMetrics,
    BadFrameError,
    Calls,
    Failed,
    FromWorker,
    Heed,
    Hold,
    Metrics,
    Moved,
    Release,
    Start,
    Take,
    Taken,
    ToWorker,
    Unused,
    Up,
    encode,
    from_worker,
    to_worker,
)

EMPTY = msgspec.Raw(b"[]")
FROM_WORKER: list[FromWorker] = [
    Up(),
    Failed("the disk is full"),
    Take(1, "c1", True, "s1"),
    Hold("c1"),
    Release("ü", "s1"),
    Heed(12, 100, 90.0),
    Heed(0, None, 90.0),
    AskCalls(2),
    Metrics(EMPTY),
    AskMetrics(3),
]
TO_WORKER: list[ToWorker] = [
    Start(1, 2, {"MAX_CALLS": "7"}, "::1", 8080, "key", [("c1", "s1")]),
    Start(0, 2, {}, "127.0.0.1", 8080, "key", None),
    Taken(1, True, True),
    Moved("c1", "s1"),
    Unused("c1"),
    Calls(1, 4),
    AllBegun(),
    AllMetrics(1, {0: EMPTY, 1: EMPTY}, EMPTY),
]


@given(st.lists(st.sampled_from(FROM_WORKER)), st.lists(st.integers(0, 400)))
def test_messages_come_as_they_were_sent_however_the_bytes_are_cut(
    sent: list[FromWorker], cuts: list[int]
) -> None:
    """In order, none lost and none twice."""
    stream = b"".join(map(encode, sent))
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    frames = from_worker()
    got = [message for start, end in pairwise(edges) for message in frames.feed(stream[start:end])]
    assert got == sent


@pytest.mark.parametrize("message", TO_WORKER, ids=lambda message: type(message).__name__)
def test_what_the_supervisor_says_is_understood(message: ToWorker) -> None:
    """Every kind of message."""
    assert list(to_worker().feed(encode(message))) == [message]


def test_every_kind_of_message_is_among_the_examples() -> None:
    """A new one must be added above."""
    known = {type(message) for message in (*FROM_WORKER, *TO_WORKER)}
    assert known == {*FromWorker.__args__, *ToWorker.__args__}


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_no_bytes_do_more_than_end_the_channel(chunks: list[bytes]) -> None:
    """Rubbish is a ``BadFrameError`` or an unfinished frame, nothing else."""
    frames = from_worker()
    try:
        for chunk in chunks:
            list(frames.feed(chunk))
    except BadFrameError:
        pass


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
tags = st.sampled_from([cls.__name__ for cls in (*FromWorker.__args__, *ToWorker.__args__)])
fields = st.sampled_from(["ask", "call_sid", "refusal", "stream_sid", "snapshot", "cause"])


@given(tags, st.dictionaries(fields, json_values))
def test_messages_with_other_fields_do_no_more(tag: str, values: dict[str, Any]) -> None:
    """Nor does JSON that looks like a message."""
    body = msgspec.json.encode({**values, "type": tag})
    try:
        (message,) = from_worker().feed(struct.pack(">I", len(body)) + body)
    except BadFrameError:
        return
    assert isinstance(message, FromWorker)


def test_a_frame_that_is_too_long_is_refused_by_its_length() -> None:
    """Before any of it is kept; and none is made."""
    with pytest.raises(BadFrameError, match="too long"):
        list(from_worker().feed(struct.pack(">I", MAX_FRAME + 1)))
    with pytest.raises(BadFrameError, match="too long"):
        encode(Failed("x" * MAX_FRAME))


def test_an_error_does_not_show_what_came() -> None:
    """It may hold a secret."""
    body = b'{"type": "Start", "variables": {"EXOBRIDGE_SECRET": "planted"}}'
    with pytest.raises(BadFrameError) as caught:
        list(to_worker().feed(struct.pack(">I", len(body)) + body))
    assert "planted" not in str(caught.value)
    assert caught.value.__cause__ is None
