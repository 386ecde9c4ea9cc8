"""Text-to-speech over a vendor's WebSocket: the session of one call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from typing import Any

from exobridge_providers.base import TtsConfig, TtsEvent
from exobridge_providers.errors import ProviderError
from exobridge_providers.events import EventStream
from exobridge_providers.vendor.tts_protocol import Cleared, TtsProtocol
from exobridge_providers.vendor.tts_socket import SocketEvent, TtsSocket
from exobridge_providers.vendor.utterances import Utterance, Utterances, is_end

MAX_UNREAD = 256
"""Events that wait to be read; then the vendor has to."""

LEAVING_SECONDS = 2.0
"""After a cancel, until the vendor's word that it has stopped is not waited for any longer."""

SETTLED_SECONDS = 10.0
"""A connection that the vendor closes while nothing is said is opened again at once if it has
lasted for so long; else with the next utterance. If it closes just when text was sent and before
any audio came, that text is given to another connection, likewise."""


class VendorTtsSession:
    """Made by :meth:`exobridge_providers.vendor.VendorTts.open`."""

    def __init__(
        self,
        protocol: Callable[[], TtsProtocol],
        config: TtsConfig,
        connect_seconds: float,
        provider: str,
    ) -> None:
        self._protocol = protocol
        self._connect_seconds = connect_seconds
        self._provider = provider
        self._in_call = bool(config.call_sid)
        self._utterances = Utterances(config.format.sample_bytes)
        self._events: EventStream[TtsEvent] = EventStream()
        self._socket: TtsSocket | None = None
        self._spare: asyncio.Task[TtsSocket] | None = None
        self._linking = asyncio.Lock()
        self._parting: set[asyncio.Task[None]] = set()
        self._leaving: dict[str, asyncio.TimerHandle] = {}
        """Contexts that were cancelled, and of which the vendor has not said that they are over."""
        self._closed = False

    # -------------------------------------------------------------- connections

    async def connect(self) -> None:
        """Open the connection, and in a call have a spare one opened where cancelling takes it.

        Raises:
            ProviderError: It cannot be had.
        """
        async with self._linking:
            if self._socket is not None or self._closed:
                return
            socket = await self._another()
            if self._closed:
                await socket.aclose(*socket.protocol.goodbye())
                return
            self._socket = socket
            if self._in_call and not socket.protocol.cancels:
                self._prepare()

    async def _another(self) -> TtsSocket:
        spare, self._spare = self._spare, None
        if spare is not None:
            try:
                socket = await asyncio.shield(spare)
            except ProviderError:  # it is tried anew, and told then
                pass
            except asyncio.CancelledError:
                self._discard(spare)
                raise
            else:
                if socket.error is None:
                    return socket
                self._part(socket)
        return await self._opened()

    async def _opened(self) -> TtsSocket:
        return await TtsSocket.open(
            self._protocol(), self._provider, self._connect_seconds, self._take, self._ended
        )

    def _prepare(self) -> None:
        """Have a connection ready before it is needed."""
        if self._spare is None and not self._closed:
            self._spare = asyncio.get_running_loop().create_task(self._opened())
            # Who takes it is told; if nobody does, it is nobody's error.
            self._spare.add_done_callback(lambda task: task.cancelled() or task.exception())

    def _ready_spare(self) -> TtsSocket | None:
        """The spare connection, if it is open."""
        spare = self._spare
        if spare is None or not spare.done() or spare.cancelled() or spare.exception() is not None:
            return None
        return spare.result()

    def _discard(self, spare: asyncio.Task[TtsSocket]) -> None:
        async def close() -> None:
            spare.cancel()
            opened = (await asyncio.gather(spare, return_exceptions=True))[0]
            if isinstance(opened, TtsSocket):
                await opened.aclose(*opened.protocol.goodbye())

        self._in_background(close())

    def _part(self, socket: TtsSocket) -> None:
        """Close a connection without waiting for that."""
        self._in_background(socket.aclose(*socket.protocol.goodbye()))

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._parting.add(task)
        task.add_done_callback(self._parting.discard)

    def _ended(self, socket: TtsSocket, error: ProviderError) -> None:
        lasted = asyncio.get_running_loop().time() - socket.opened_at
        settled = lasted > SETTLED_SECONDS
        if socket is self._ready_spare():
            self._spare = None
        elif socket is not self._socket:
            return
        elif self._utterances.at_work and not (
            settled and error.retryable and self._utterances.begin_again()
        ):
            self._events.fail(error)
            return
        else:
            self._socket = None
            self._forget_leaving()
        self._part(socket)
        if settled:
            self._prepare()
        if self._socket is None:  # what waited for a cancelled one to end is said on another
            self._in_background(self._go_on_or_fail())

    # -------------------------------------------------------------- out

    async def say(self, utterance_id: str, text: str, *, last: bool = True) -> None:
        """As :meth:`exobridge_providers.base.TtsSession.say`."""
        if self._closed:
            return
        self._utterances.say(utterance_id, text, last=last)
        await self._go_on()

    async def _go_on(self) -> None:
        """Give the vendor what it can take."""
        for event in self._utterances.ready():
            self._events.post(event)
        if self._socket is None and any(not each.is_blank for each in self._utterances):
            try:
                await self.connect()
            except ProviderError as error:
                self._events.fail(error)
                raise
        self._feed()

    def _feed(self) -> None:
        socket = self._socket
        if socket is None:
            return
        protocol = socket.protocol
        for utterance in self._utterances:
            if utterance.over or utterance.is_blank:
                continue
            if not utterance.context:
                if len(self._utterances.at_work) + len(self._leaving) >= protocol.contexts:
                    return
                socket.send(protocol.begin(self._utterances.new_context(utterance)))
            for piece in utterance.give():
                socket.send(protocol.text(utterance.context, piece))
            if utterance.whole and not utterance.ended:
                utterance.ended = True
                socket.send(protocol.end(utterance.context))

    async def cancel(self, utterance_id: str) -> None:
        """As :meth:`exobridge_providers.base.TtsSession.cancel`; no more audio of it comes out."""
        if self._closed:
            return
        utterance = self._utterances.cancel(utterance_id)
        self._events.drop(lambda event: event.utterance_id == utterance_id)
        socket = self._socket
        if (
            utterance is not None
            and utterance.context
            and not utterance.over
            and socket is not None
        ):
            self._stop(socket, utterance)
        if self._socket is None:  # whoever cancels does not wait for another
            self._in_background(self._go_on_or_fail())
        else:
            await self._go_on()

    def _stop(self, socket: TtsSocket, utterance: Utterance) -> None:
        if not socket.protocol.cancels:
            self._leave(socket)
            return
        socket.send(socket.protocol.cancel(utterance.context))
        if socket.protocol.clears or socket.protocol.contexts > 1:
            loop = asyncio.get_running_loop()
            late = loop.call_later(LEAVING_SECONDS, self._not_left, socket, utterance.context)
            self._leaving[utterance.context] = late

    def _leave(self, socket: TtsSocket) -> None:
        """Go on without a connection that will not be quiet."""
        self._socket = None
        self._forget_leaving()
        self._part(socket)
        spare = self._ready_spare()
        if spare is not None and spare.error is None:
            self._socket, self._spare = spare, None
            if not spare.protocol.cancels:
                self._prepare()

    def _not_left(self, socket: TtsSocket, context: str) -> None:
        self._leaving.pop(context, None)
        if socket is self._socket and socket.protocol.clears:
            self._leave(socket)
        self._in_background(self._go_on_or_fail())

    async def _go_on_or_fail(self) -> None:
        with suppress(ProviderError):  # who reads the events is told
            await self._go_on()

    def _forget_leaving(self) -> None:
        for timer in self._leaving.values():
            timer.cancel()
        self._leaving.clear()

    # -------------------------------------------------------------- in

    async def _take(self, socket: TtsSocket, events: list[SocketEvent]) -> None:
        if socket is not self._socket:
            return
        for event in events:
            if isinstance(event, Cleared):
                self._forget_leaving()
            else:
                self._take_event(socket, event)
        self._feed()
        await self._events.room(MAX_UNREAD)

    def _take_event(self, socket: TtsSocket, event: TtsEvent) -> None:
        context = event.utterance_id
        if socket.protocol.clears and self._leaving:
            return
        if is_end(event) and context in self._leaving:
            self._leaving.pop(context).cancel()
            return
        utterance = self._utterances.of(context)
        if utterance is None:
            return
        for ready in self._utterances.take(utterance, event):
            self._events.post(ready)
        if is_end(event) and socket.protocol.single:
            self._leave(socket)
            self._in_background(self._go_on_or_fail())

    def events(self) -> AsyncIterator[TtsEvent]:
        """As :meth:`exobridge_providers.base.TtsSession.events`."""
        return aiter(self._events)

    async def aclose(self) -> None:
        """As :meth:`exobridge_providers.base.TtsSession.aclose`."""
        self._closed = True
        self._events.close()
        self._forget_leaving()
        spare, self._spare = self._spare, None
        if spare is not None:
            self._discard(spare)
        socket, self._socket = self._socket, None
        if socket is not None:
            self._part(socket)
        while self._parting:
            await asyncio.wait(self._parting)
