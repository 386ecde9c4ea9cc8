"""A call's whisper: its text, and its audio, rendered while the human's phone rings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from exobridge.call.events import CallEvent, EventKind, Turn
from exobridge.call.prompts import Prompts
from exobridge.call.state import Call, replay
from exobridge.observe.watch import Webhook
from exobridge.store import Store, StoreError
from exobridge.store.patience import Patience
from exobridge.templates import Template
from exobridge.transfer.whisper import whisper_text
from exobridge_codecs.formats import pcm16
from exobridge_codecs.wav import wav_header
from exobridge_providers.errors import ProviderError

SAMPLE_RATE = 8000
"""Hertz; with 16 bits and one channel these are the 128 kbit/s that Exotel asks for."""

RENDER_SECONDS = 3.0
"""Longest wait for the audio when it is asked for."""

SILENCE_MS = 500

_log = structlog.stdlib.get_logger("exobridge.transfer")


@dataclass(frozen=True, slots=True)
class _Wanted:
    template: Template
    text: str


class Whispers:
    """Makes whispers. Any process can make any call's: all is in the record.

    Args:
        templates: A template in force, by its name.
        hurry_seconds: Longest wait for the database, or for the audio, while the caller is on hold
            and nobody has been called yet. The phone rings longer than rendering takes, but audio
            that failed shall not be promised.
        store_seconds: Longest wait for the database, where nothing but the whisper waits for it.
        render_seconds: Longest wait for the audio when it is asked for.
    """

    def __init__(
        self,
        *,
        store: Store,
        prompts: Prompts,
        templates: Callable[[str], Template | None],
        hurry_seconds: float,
        store_seconds: float,
        render_seconds: float = RENDER_SECONDS,
    ) -> None:
        self._store = store
        self._prompts = prompts
        self._templates = templates
        self._render_seconds = render_seconds
        self._patience = Patience(store_seconds)
        self._hurry_seconds = hurry_seconds
        self._hurry = Patience(hurry_seconds)
        self._rendering: set[asyncio.Task[bytes]] = set()

    async def text(self, template: Template, call: Call, summary: str) -> str:
        """What is whispered; empty where nothing is known to be said.

        Args:
            summary: The dialogue's.
        """
        turns: Sequence[Turn] = ()
        if not summary.strip():
            try:
                turns = await self._hurry.wait(self._store.turns(call.call_sid))
            except StoreError as error:
                _log.error("call not looked up", call_sid=call.call_sid, error=str(error))
        return whisper_text(template.transfer, summary, call, turns)

    async def is_audible(self, template: Template, text: str) -> bool:
        """Begin to render it. Whether there will be audio, by all that is known so soon."""
        task = self._render(template, text)
        await asyncio.wait({task}, timeout=self._hurry_seconds)
        return not task.done() or task.exception() is None

    async def ahead(self, call_sid: str, transfer: str) -> None:
        """Begin to render it, if its template wants audio.

        Args:
            transfer: Key of the transfer's event.
        """
        wanted = await self._wanted(call_sid, transfer)
        if wanted is not None and wanted.template.transfer.whisper == "audio":
            self._render(wanted.template, wanted.text)

    async def wav(self, call_sid: str, transfer: str) -> bytes:
        """Its audio, as a WAV file. Where it cannot be made in time, a moment of silence: without
        an answer Exotel would not dial at all."""
        wanted = await self._wanted(call_sid, transfer)
        audio = bytes(SAMPLE_RATE * SILENCE_MS // 1000 * 2)
        if wanted is not None:
            task = self._render(wanted.template, wanted.text)
            await asyncio.wait({task}, timeout=self._render_seconds)
            if task.done() and task.exception() is None:
                audio = task.result()
            else:
                _log.warning("whisper not rendered", call_sid=call_sid)
        return wav_header(pcm16(SAMPLE_RATE), 1, len(audio)) + audio

    async def aclose(self) -> None:
        """Stop what is being rendered, and let what is late come to its end."""
        await self._patience.aclose()
        await self._hurry.aclose()
        running = list(self._rendering)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _render(self, template: Template, text: str) -> asyncio.Task[bytes]:
        task = asyncio.create_task(self._prompts.render(template, text, SAMPLE_RATE))
        self._rendering.add(task)
        task.add_done_callback(self._rendered)
        return task

    def _rendered(self, task: asyncio.Task[bytes]) -> None:
        self._rendering.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, ProviderError):
            _log.error("whisper crashed", exc_info=error)

    async def _wanted(self, call_sid: str, transfer: str) -> _Wanted | None:
        try:
            return await self._patience.wait(self._read(call_sid, transfer))
        except StoreError as error:
            _log.error("call not looked up", call_sid=call_sid, error=str(error))
            return None

    async def _read(self, call_sid: str, transfer: str) -> _Wanted | None:
        known = await self._store.events(call_sid)
        call = replay(known)
        request = next((event for event in known if _is(event, transfer)), None)
        template = self._templates(call.template) if call else None
        if call is None or request is None or template is None:
            return None
        summary = str(request.data.get("summary", ""))
        turns = () if summary.strip() else await self._store.turns(call_sid)
        text = whisper_text(template.transfer, summary, call, turns)
        return _Wanted(template, text) if text else None


class Ahead:
    """Looks on, and has each whisper rendered as soon as the caller is handed over: before Exotel
    asks whom to dial."""

    def __init__(self, whispers: Whispers) -> None:
        self._whispers = whispers
        self._tasks: set[asyncio.Task[None]] = set()

    def event(self, event: CallEvent) -> None:
        """A fact of a call."""
        if event.kind is EventKind.TRANSFER_REQUESTED:
            task = asyncio.create_task(self._whispers.ahead(event.call_sid, event.key))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def turn(self, turn: Turn) -> None:
        """Nothing to be done."""

    def webhook(self, webhook: Webhook) -> None:
        """Nothing to be done."""

    async def aclose(self) -> None:
        """Stop what has begun."""
        for task in (running := list(self._tasks)):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _is(event: CallEvent, transfer: str) -> bool:
    return event.kind is EventKind.TRANSFER_REQUESTED and event.key == transfer
