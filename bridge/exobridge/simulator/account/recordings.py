"""A recording as it is downloaded: protected, by parts, late, and broken off where that is set."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

from exobridge.simulator.account.answers import Answer
from exobridge.simulator.account.records import Recording

PIECE_BYTES = 4096
_FROM = re.compile(r"bytes=([0-9]{1,12})-([0-9]{0,12})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Part:
    """What is sent of a recording.

    Attributes:
        answer: Status and headers.
        first, behind: The bytes, as a slice; nothing at all: 416.
    """

    answer: Answer
    first: int
    behind: int


def part_of(recording: Recording, headers: Mapping[str, str]) -> Part:
    """What a request asks for: the whole, or bytes of it (RFC 9110, section 14)."""
    size = len(recording.body)
    told = {"Content-Type": recording.content_type, "ETag": recording.etag}
    if not recording.ranges:
        return Part(Answer(200, headers=told), 0, size)
    told["Accept-Ranges"] = "bytes"
    found = _FROM.fullmatch(headers.get("range", ""))
    if not found or headers.get("if-range", recording.etag) != recording.etag:
        return Part(Answer(200, headers=told), 0, size)
    first, behind = int(found[1]), min(size, int(found[2]) + 1 if found[2] else size)
    if first >= behind:
        return Part(Answer(416, headers={**told, "Content-Range": f"bytes */{size}"}), 0, 0)
    told["Content-Range"] = f"bytes {first}-{behind - 1}/{size}"
    return Part(Answer(206, headers=told), first, behind)


async def pieces(recording: Recording, part: Part) -> AsyncGenerator[bytes]:
    """The bytes, as they go out; fewer than promised where the recording says so."""
    behind = part.behind
    if recording.cut_at is not None and recording.cuts > 0:
        recording.cuts -= 1
        behind = min(behind, part.first + recording.cut_at)
    while True:
        for at in range(part.first, behind, PIECE_BYTES):
            yield recording.body[at : min(behind, at + PIECE_BYTES)]
            await asyncio.sleep(recording.pause_seconds)
        if not recording.endless or part.first >= behind:
            break
    if behind == len(recording.body):
        recording.fetched += 1
