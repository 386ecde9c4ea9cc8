"""Connect: dials agents, fixed numbers or those that the server names, and joins one to the caller.

Whom to dial is asked of the URL, and of the fallback URL where that gives no answer that can be
used. The text contract tries each unique number once, and by default asks again after each failed
attempt. With the JSON contract an attempt is the whole list; where ``fetch_after_attempt`` is set
it is asked again then, and the same set of numbers twice in a row ends the attempts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from exobridge.simulator.flows.applets.dialling import Dialling
from exobridge.simulator.flows.asking import Question, ask
from exobridge.simulator.flows.dial_answer import DialAnswer, DialOrder, read_json, read_text
from exobridge.simulator.flows.model import Connect
from exobridge.simulator.flows.one_call import OneCall, Way
from exobridge.simulator.flows.report import What
from exobridge.simulator.rules import Rule

VERSION = {"Exotel-Version": "1.0"}
"""The header by which a programmable Connect applet is told from the other."""
MAX_ASKED = 20
"""So often a server is asked whom to dial that always names somebody else."""
MAX_NUMBERS = 100
"""Of one answer, so many are dialled. Exotel's documents have no limit."""


async def connect(call: OneCall, name: str, applet: Connect) -> Way:
    """Where the flow goes on."""
    call.facts.begin_connect()
    try:
        key = await _Attempts(call, name, applet).key()
    finally:
        call.facts.end_connect(caller_left=call.over.is_set())
    if key == "not_dialled" and not applet.not_dialled:
        key = "nobody_answers"  # as Exotel does where that path is not connected
    return Way(key, getattr(applet, key))


class _Attempts:
    """Asks and dials until somebody talks, or nobody is left.

    Args:
        call: Whose.
        name: The applet's.
        applet: What is asked.
    """

    def __init__(self, call: OneCall, name: str, applet: Connect) -> None:
        self._call = call
        self._name = name
        self._applet = applet
        self._dialling = Dialling(call, name)
        self._tried: set[str] = set()
        self._last_set: set[str] = set()
        self._is_text = applet.contract == "text"

    async def key(self) -> str:
        """Which path the flow takes."""
        for asked in range(MAX_ASKED):
            order = await self._order(first=asked == 0)
            numbers = self._next(order)
            if not numbers or self._call.over.is_set():
                break
            self._tried.update(numbers)
            if await self._dialling.dial(numbers, order):
                return "after_conversation"
            if not order.again or self._call.over.is_set():
                break
        return "nobody_answers" if self._tried else "not_dialled"

    def _next(self, order: DialOrder) -> Sequence[str]:
        """Whom to dial now."""
        if self._applet.numbers:
            return order.numbers
        if self._is_text:
            untried = [each for each in dict.fromkeys(order.numbers) if each not in self._tried]
            return untried[:1] if order.again else untried
        last, self._last_set = self._last_set, set(order.numbers)
        return () if last == self._last_set else order.numbers

    async def _order(self, *, first: bool) -> DialOrder:
        """What the server wants; nobody is in it if no answer can be used."""
        applet, call = self._applet, self._call
        if applet.numbers:
            return DialOrder(tuple(applet.numbers))
        for url in filter(None, (applet.url, applet.fallback_url)):
            began = call.now_ms
            answer = await self._ask(url, first=first)
            for breach in answer.breaches:
                call.broken(breach.rule, breach.detail)
            order = answer.order
            usable = order is not None and await self._dialling.audio_is_there(order)
            call.hears_music(began, DialOrder().music)
            if order is not None and usable:
                call.facts.outgoing_number = order.outgoing_number
                if len(order.numbers) > MAX_NUMBERS:
                    call.book.note(f"of an answer's numbers the first {MAX_NUMBERS} are dialled")
                return replace(order, numbers=order.numbers[:MAX_NUMBERS])
        return DialOrder()

    async def _ask(self, url: str, *, first: bool) -> DialAnswer:
        applet = self._applet
        waits = self._call.around.waits
        question = Question(
            what=What.DIAL_UP,
            url=url,
            timeout_s=waits.dial_json if applet.contract == "json" else waits.dial_text,
            timeout=Rule.DIAL_TIMEOUT,
            late=Rule.DIAL_LATE,
            parameters=self._call.facts.connect_parameters(first=first),
            headers={} if applet.contract == "text" else VERSION,
            applet=self._name,
        )
        reply = await ask(self._call, question)
        if reply.status is None:
            return DialAnswer(None)
        if applet.contract == "either":
            self._is_text = reply.kind == "text/plain"
        if not self._is_text:
            return read_json(reply.status, reply.kind, reply.text)
        again = applet.fetch_after_attempt and applet.contract == "text"
        return read_text(reply.status, reply.kind, reply.text, again=again)
