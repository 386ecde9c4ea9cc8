"""Writes down what both sides of a call say, in order, while it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from exobridge.simulator import events
from exobridge.simulator.call import Exotel
from exobridge.simulator.plan import CallPlan
from exobridge.simulator.report import CallReport
from exobridge.simulator.speech import Ears, SpeechError


@dataclass(frozen=True, slots=True)
class Said:
    """A turn of either side, told once the bot's words are known.

    Attributes:
        role: Who.
        at_ms: First audible moment.
        text: The words, or the keys; empty if they were not understood.
        ms: How long it was heard.
    """

    role: Literal["caller", "bot"]
    at_ms: float
    text: str
    ms: float


class Scribe:
    """Has the bot's turns understood, one after the other.

    Args:
        ears: Who understands; ``None``: nobody, and the texts are empty.
        note: Said in the report if nobody does.
        tell: Told what happens in the call, as it happens.
        show: Told each turn.
    """

    def __init__(
        self,
        ears: Ears | None,
        note: str,
        tell: events.Listener,
        show: Callable[[Said], None],
    ) -> None:
        self._ears = ears
        self._tell = tell
        self._show = show
        self._rate = 8000
        self._texts: list[str] = []
        self._notes: list[str] = [] if ears is not None else [note]
        self._spoke: asyncio.Queue[events.BotSpoke | events.CallerSpeaks] = asyncio.Queue()

    async def attend(
        self, exotel: Exotel, plan: CallPlan, leave: asyncio.Event | None = None
    ) -> CallReport:
        """Place a call, and write down what is said in it.

        Args:
            exotel: Places it.
            plan: The call.
            leave: Once it is set the caller hangs up, and the report is of what there was.

        Returns:
            The report, with the words.
        """
        async with asyncio.TaskGroup() as tasks:
            writing = tasks.create_task(self._write())
            report = await exotel.call(
                plan,
                self._listen,
                transcribe=None if self._ears is None else self._transcribe,
                leave=leave,
            )
            await self._spoke.join()
            writing.cancel()
        return replace(report.with_bot_texts(self._texts), notes=tuple(self._notes))

    def _listen(self, event: events.Event) -> None:
        match event:
            case events.StreamOpened():
                self._rate = event.sample_rate
            case events.CallerSpeaks() | events.BotSpoke():
                self._spoke.put_nowait(event)
            case _:
                pass
        self._tell(event)

    async def _write(self) -> None:
        while True:
            match await self._spoke.get():
                case events.CallerSpeaks(line):
                    text = line.text or str(line.kind)
                    ms = line.voiced_to_ms - line.voiced_from_ms
                    self._show(Said("caller", line.voiced_from_ms, text, ms))
                case events.BotSpoke() as event:
                    text = await self._transcribe(event.pcm, self._rate)
                    self._texts.append(text)
                    self._show(Said("bot", event.start_ms, text, event.end_ms - event.start_ms))
            self._spoke.task_done()

    async def _transcribe(self, pcm: bytes, sample_rate: int) -> str:
        if self._ears is None or not pcm:
            return ""
        try:
            return await self._ears.text(pcm, sample_rate)
        except SpeechError as error:
            note = f"some of what the bot said was not written down: {error}"
            if note not in self._notes:
                self._notes.append(note)
            return ""
