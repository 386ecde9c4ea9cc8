"""Plays a kept call at a server, in real time, as Exotel would."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx

from exobridge.replay.compare import (
    TOLERANCE_MS,
    Comparison,
    Difference,
    compare_streams,
    compare_webhooks,
)
from exobridge.replay.player import Player
from exobridge.replay.report import Played, ReplayReport
from exobridge.replay.script import Names, ReplayError, end_ms, script_of, started_of
from exobridge.replay.seen import see
from exobridge.replay.webhooks import ask_again, static_url, stream_url
from exobridge.simulator.call import new_sid
from exobridge.simulator.client import http_client
from exobridge.simulator.handshake import open_stream
from exobridge.wire.reading import Recording, Stream
from exobridge.wire.records import Webhook

GAP_S = 1.0
"""Longest pause between two steps beside a stream, in seconds: a callback that came after two
minutes is not waited for so long."""

HANDSHAKE_S = 10.0
"""For each try, in seconds."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where and how a call is played.

    Attributes:
        url: ``http(s)://``: a server, asked as then; ``ws(s)://``: the stream's own URL, and
            nothing is asked.
        auth_token: The server's secret.
        caller, called: In place of the numbers that were masked; empty: made of the masks.
        same_ids: Under the ids of the recording.
        tolerance_ms: What counts as the same time.
    """

    url: str
    auth_token: str = field(default="", repr=False)
    caller: str = ""
    called: str = ""
    same_ids: bool = False
    tolerance_ms: float = TOLERANCE_MS

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https", "ws", "wss") or not parts.hostname:
            raise ReplayError("the URL must be absolute: http://, https://, ws:// or wss://")

    @property
    def is_stream(self) -> bool:
        """The URL is a stream's."""
        return urlsplit(self.url).scheme in ("ws", "wss")


Tell = Callable[[str], None]
"""Told in a few words what is done."""


async def replay_live(recording: Recording, target: Target, tell: Tell) -> ReplayReport:
    """Play a call.

    Raises:
        ReplayError: There is nothing in it that could be played.
    """
    streams = [stream for stream in recording.streams if started_of(stream) is not None]
    if not streams and not recording.webhooks:
        raise ReplayError("the file holds neither a webhook nor a stream with a `start` event")
    async with http_client() as client:
        return await _Replay(recording, streams, target, client, tell).run()


def names_of(recording: Recording, target_numbers: tuple[str, str], *, same_ids: bool) -> Names:
    """What stands for the ids and the numbers of a recording.

    Args:
        target_numbers: The caller's and the ExoPhone; empty: made of the masks.
    """
    started = [found for found in map(started_of, recording.streams) if found is not None]
    sids = {recording.header.call_sid, *(each.call_sid for each in started)}
    sids |= {each.stream_sid for each in started}
    masks = [(each.from_number, each.to_number) for each in started]
    numbers = {
        mask: number
        for pair in masks
        for mask, number in zip(pair, target_numbers, strict=True)
        if number and mask
    }
    return Names({sid: sid if same_ids else new_sid() for sid in sids if sid}, numbers)


class _Replay:
    def __init__(
        self,
        recording: Recording,
        streams: Sequence[Stream],
        target: Target,
        client: httpx.AsyncClient,
        tell: Tell,
    ) -> None:
        self._recording = recording
        self._streams = streams
        self._target = target
        self._client = client
        self._tell = tell
        numbers = (target.caller, target.called)
        self._names = names_of(recording, numbers, same_ids=target.same_ids)
        self._differences: list[Difference] = []
        self._played: list[Played] = []
        self._stream_url = target.url if target.is_stream else ""
        self._last_at: float | None = None

    async def run(self) -> ReplayReport:
        webhooks = deque([] if self._target.is_stream else self._recording.webhooks)
        for number, stream in enumerate(self._streams, start=1):
            while webhooks and webhooks[0].at <= stream.opened_at:
                await self._ask_next(webhooks.popleft())
            until = stream.opened_at + end_ms(stream) / 1000
            during: list[Webhook] = []
            while webhooks and webhooks[0].at < until:
                during.append(webhooks.popleft())
            await self._play(number, stream, during)
            self._last_at = until
        while webhooks:
            await self._ask_next(webhooks.popleft())
        return self._report()

    # -------------------------------------------------------------- webhooks

    async def _ask_next(self, kept: Webhook) -> None:
        """Ask, after as long a pause as then, if that was short."""
        gap_s = 0.0 if self._last_at is None else kept.at - self._last_at
        await asyncio.sleep(min(GAP_S, max(0.0, gap_s)))
        await self._ask(kept)
        self._last_at = kept.at + kept.ms / 1000

    async def _ask(self, kept: Webhook) -> None:
        target = self._target
        now = await ask_again(
            self._client, kept, target.url, self._names, target.auth_token, time.monotonic
        )
        self._tell(f"{kept.method} {kept.path}: {now.status or now.body}, {now.ms:.0f} ms")
        self._stream_url = stream_url(now) or self._stream_url
        where = f"{kept.method} {kept.path}"
        self._differences += compare_webhooks(where, kept, now, self._names.ids)

    # -------------------------------------------------------------- streams

    async def _play(self, number: int, stream: Stream, during: Sequence[Webhook]) -> None:
        where = f"stream {number}"
        script = script_of(stream, self._names)
        url = self._stream_url or static_url(self._target.url, self._target.auth_token)
        opened = await open_stream(url, timeout_s=HANDSHAKE_S, clock=time.monotonic)
        then = see(stream)
        if opened.socket is None:
            why = opened.breaches[0].detail if opened.breaches else "no"
            self._tell(f"{where}: not opened: {why}")
            opening = Comparison(where)
            opening.same("opened", "yes", why)
            self._differences += opening.found
            self._played.append(Played(then))
            return
        self._tell(f"{where}: {script.audio.encoding}, {script.end_ms / 1000:.1f} s")
        player = Player(opened.socket, script, time.monotonic)
        async with asyncio.TaskGroup() as tasks:
            playing = tasks.create_task(player.play())
            for webhook in during:
                tasks.create_task(self._ask_at(webhook, webhook.at - stream.opened_at))
        now = see(playing.result())
        self._played.append(Played(then, now))
        self._differences += compare_streams(where, then, now, self._target.tolerance_ms)

    async def _ask_at(self, kept: Webhook, after_s: float) -> None:
        await asyncio.sleep(after_s)
        await self._ask(kept)

    # -------------------------------------------------------------- what came of it

    def _report(self) -> ReplayReport:
        sid = self._recording.header.call_sid
        return ReplayReport(
            offline=False,
            call_sid=self._names.ids.get(sid, sid),
            tolerance_ms=self._target.tolerance_ms,
            streams=tuple(self._played),
            differences=tuple(self._differences),
            notes=notes_of(self._recording, self._target),
        )


def notes_of(recording: Recording, target: Target | None = None) -> tuple[str, ...]:
    """What the reader should know of a recording, as it is played."""
    notes: list[str] = []
    if recording.torn:
        notes.append("the file breaks off; it is played as far as it goes")
    if recording.cut:
        notes.append(f"not all of the call was kept: {recording.cut}")
    if recording.unknown:
        notes.append(f"{recording.unknown} lines are of a kind that this exobridge does not know")
    unnamed = sum(started_of(stream) is None for stream in recording.streams)
    if unnamed:
        notes.append(f"{unnamed} streams without a `start` event were passed over")
    if target is not None and target.is_stream and recording.webhooks:
        notes.append("the webhooks were passed over, as the URL is a stream's own")
    return tuple(notes)
