"""Rings agents, one after the other or several at once, and lets the one who answers talk."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from exobridge.numbers import mask
from exobridge.simulator.flows.agents import Behaviour
from exobridge.simulator.flows.asking import MAX_AUDIO_BYTES, Question, ask
from exobridge.simulator.flows.attempts import REJECTED, Attempt, AttemptStatus
from exobridge.simulator.flows.audio import AudioError, audio_seconds
from exobridge.simulator.flows.dial_answer import DialOrder
from exobridge.simulator.flows.facts import DialEventType
from exobridge.simulator.flows.one_call import OneCall
from exobridge.simulator.flows.report import Dialled, Ending, What
from exobridge.simulator.rules import Rule
from exobridge.simulator.timeline import Kind, Party

LATE_EVENTS = "dial events were left out: those before them were answered too slowly"


class Dialling:
    """Of one Connect applet.

    Args:
        call: Whose.
        name: The applet's.
    """

    def __init__(self, call: OneCall, name: str) -> None:
        self._call = call
        self._name = name
        self._audio: dict[str, float | None] = {}
        self._events: asyncio.Task[None] | None = None

    async def dial(self, numbers: Sequence[str], order: DialOrder) -> bool:
        """Ring them in order; whether one of them answered."""
        for at in range(0, len(numbers), order.parallel):
            if self._call.over.is_set():
                return False
            began = self._call.now_ms
            together = numbers[at : at + order.parallel]
            rings = [Ring(self._call, self, each, order, len(together) > 1) for each in together]
            answered = await _first(rings)
            self._call.hears_music(began, order.music)
            if answered is not None:
                await self._talk(answered, order)
                return True
        return False

    async def _talk(self, ring: Ring, order: DialOrder) -> None:
        call, behaviour = self._call, ring.behaviour
        seconds = 0.0
        if behaviour.does != "hangs-up" and await self._whisper(ring, order):
            began = call.now_ms
            limit = min(behaviour.talk_s, order.talk_s)
            await call.wait(limit)
            seconds = (call.now_ms - began) / 1000
            call.tell(Kind.SPEECH, Party.AGENT, Party.CALLER, "conversation", since_ms=began)
        if call.flow.recording is not None and call.around.account is not None:
            call.facts.recording_url = call.around.account.recording_url(call.call_sid)
        if behaviour.talk_s > order.talk_s and behaviour.does == "answers":
            label = f"the conversation reached its limit of {order.talk_s:g} s"
            call.tell(Kind.PHONE, Party.EXOTEL, Party.AGENT, label)
        elif behaviour.leaves_first or behaviour.does == "hangs-up":
            if not call.over.is_set():
                ring.tell("hangs up")
        else:
            call.end(Ending.CALLER)
        ring.over("completed", seconds)

    async def _whisper(self, ring: Ring, order: DialOrder) -> bool:
        """What the agent hears before the conversation; ``False`` if the caller went in it."""
        playback = order.playback
        if playback is None:
            return True
        call, began = self._call, self._call.now_ms
        if playback.kind == "text":
            ring.whisper = playback.value
            stayed = await call.speak(playback.value, Party.AGENT)
        else:
            seconds = self._audio.get(playback.value) or 0.0
            ring.whisper = f"audio {seconds:.1f} s"
            stayed = await call.wait(seconds)
            call.tell(Kind.SPEECH, Party.EXOTEL, Party.AGENT, ring.whisper, since_ms=began)
        if playback.to == "both":
            call.tell(Kind.SPEECH, Party.EXOTEL, Party.CALLER, ring.whisper, since_ms=began)
        else:
            call.hears_music(began, order.music)
        return stayed

    # -------------------------------------------------------------- what is asked meanwhile

    async def audio_is_there(self, order: DialOrder) -> bool:
        """Whether the audio URLs of an answer answer 200; each is asked once."""
        urls = [order.music_url] if order.music_url else []
        if order.playback is not None and order.playback.kind == "audio_url":
            urls.append(order.playback.value)
        for url in urls:
            if url not in self._audio:
                self._audio[url] = await self._length(url)
            if self._audio[url] is None:
                return False
        return True

    async def _length(self, url: str) -> float | None:
        """Seconds of the audio behind a URL, 0 if it cannot be played; ``None``: no 200."""
        question = Question(
            what=What.AUDIO,
            url=url,
            timeout_s=self._call.around.waits.audio,
            timeout=Rule.DIAL_AUDIO,
            own=False,
            max_bytes=MAX_AUDIO_BYTES,
            applet=self._name,
        )
        reply = await ask(self._call, question)
        if reply.status != 200:
            if reply.status is not None:
                self._call.broken(Rule.DIAL_AUDIO, f"status {reply.status}")
            return None
        try:
            return audio_seconds(reply.body)
        except AudioError as error:
            self._call.broken(Rule.DIAL_AUDIO, str(error))
            return 0.0

    def event(self, url: str, kind: DialEventType, attempt: Attempt) -> None:
        """Tell a dial event, after those before it; the call does not wait for it."""
        if url:
            told = self._call.facts.dial_event(kind, attempt)
            self._events = self._call.beside(self._send(self._events, url, told))

    async def _send(
        self, before: asyncio.Task[None] | None, url: str, told: dict[str, str]
    ) -> None:
        if before is not None:
            await before
        if self._call.over_for_s > self._call.around.waits.dial_event:
            self._call.book.note(LATE_EVENTS)
            return
        question = Question(
            what=What.DIAL_EVENT,
            url=url,
            timeout_s=self._call.around.waits.dial_event,
            timeout=Rule.DIAL_EVENT_STATUS,
            parameters=told,
            own=False,
            applet=self._name,
        )
        reply = await ask(self._call, question)
        if reply.status not in (None, 200):
            self._call.broken(Rule.DIAL_EVENT_STATUS, f"status {reply.status}")


class Ring:
    """One agent's phone, from its dialling to the end.

    Attributes:
        behaviour: What it does.
        whisper: What was heard on it before the conversation.
    """

    def __init__(
        self, call: OneCall, dialling: Dialling, number: str, order: DialOrder, parallel: bool
    ) -> None:
        self._call = call
        self._dialling = dialling
        self._order = order
        self._attempt = call.facts.dial(number, parallel=parallel)
        if not call.phones.knows(number):
            call.book.note(f"{mask(number)} is no [[agent]] of the flow, and does not answer")
        self.behaviour: Behaviour = call.phones.dial(number)
        self.whisper = ""
        self._event("Dial")

    async def answers(self) -> bool:
        """Whether it is answered; if not, it is over."""
        match self.behaviour.does:
            case "busy":
                return self.over("busy")
            case "fails":
                return self.over("failed")
            case _:
                return await self._rings()

    async def _rings(self) -> bool:
        does, ring_s = self.behaviour.does, self.behaviour.ring_s
        in_vain = does == "silent" or ring_s > self._order.ring_s
        began = self._call.now_ms
        self._event("Ringing")
        shown = mask(self._attempt.number)
        try:
            stayed = await self._call.wait(self._order.ring_s if in_vain else ring_s)
        finally:  # or another phone was answered
            self._call.tell(Kind.PHONE, Party.EXOTEL, Party.AGENT, "rings", shown, since_ms=began)
        if not stayed:
            return self.over("canceled")
        if in_vain:
            return self.over("no-answer")
        if does == "rejects":
            return self.over("busy", cause=REJECTED)
        self._event("Answered")
        self.tell("answers")
        return True

    def over(
        self, status: AttemptStatus, seconds: float = 0.0, cause: tuple[str, int] | None = None
    ) -> bool:
        """It is over, once; ``False``: it is not answered any more."""
        if self._attempt.status:
            return False
        self._call.facts.attempt_over(self._attempt, status, seconds, cause)
        number = self._attempt.number
        self._call.book.dialled.append(Dialled(number, status, seconds, self.whisper))
        if status != "completed":
            self.tell(status)
        self._event("Terminal")
        return False

    def tell(self, label: str) -> None:
        """What the agent does, in the timeline."""
        shown = mask(self._attempt.number)
        self._call.tell(Kind.PHONE, Party.AGENT, Party.EXOTEL, label, shown)

    def _event(self, kind: DialEventType) -> None:
        self._dialling.event(self._order.events_url, kind, self._attempt)


async def _first(rings: Sequence[Ring]) -> Ring | None:
    """Let them ring; the first that is answered, whereupon the others stop."""
    ringing = {asyncio.create_task(ring.answers()): ring for ring in rings}
    waiting = set(ringing)
    answered: Ring | None = None
    try:
        while waiting and answered is None:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            answered = next((ringing[task] for task in done if task.result()), None)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    for ring in rings:
        if ring is not answered:
            ring.over("canceled")
    return answered
