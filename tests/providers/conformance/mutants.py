"""Faults of plugins: each makes a plugin that is right into one that is wrong in one thing.

Those of a protocol are classes that stand before the plugin's own; those of a session stand around
it.
"""

# ``safe-super`` is ignored below where a mixin calls the method that it changes: mypy sees the
# abstract one, and the plugin's own is there.

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast

from exobridge_providers.base import (
    Final,
    Partial,
    Provider,
    SttEvent,
    SttSession,
    TtsAudio,
    TtsDone,
    TtsEvent,
    TtsSession,
)
from exobridge_providers.errors import ProviderError, ProviderUnavailableError
from exobridge_providers.testing.cases import VendorCase
from exobridge_providers.testing.fake_vendor import FakeVendor
from exobridge_providers.vendor import (
    Address,
    Cleared,
    Message,
    SttProtocol,
    TtsProtocol,
    VendorStt,
    VendorTts,
)

Mutation = Callable[[Provider], None]


@dataclass(frozen=True)
class MutantCase(VendorCase):
    """A case whose plugin has a fault."""

    mutate: Mutation = lambda provider: None

    @classmethod
    def of(cls, case: VendorCase, mutate: Mutation) -> MutantCase:
        """A case with a fault."""
        return cls(
            case.kind, case.name, case.fake, case.path, case.language, case.options, mutate=mutate
        )

    def provider(self, vendor: FakeVendor, **options: Any) -> Provider:
        """As :meth:`VendorCase.provider`, with the fault."""
        provider = super().provider(vendor, **options)
        self.mutate(provider)
        return provider


def each_protocol(change: Callable[[Any], None]) -> Mutation:
    """Something is done to each protocol that the plugin makes."""

    def mutate(provider: Provider) -> None:
        assert isinstance(provider, VendorStt | VendorTts)
        make = cast(Callable[..., Any], provider.protocol)

        def made(*arguments: Any) -> Any:
            right = make(*arguments)
            change(right)
            return right

        vars(provider)["protocol"] = made

    return mutate


def protocol(fault: type[SttProtocol] | type[TtsProtocol]) -> Mutation:
    """Its methods stand before those of the plugin's protocol."""

    def change(right: Any) -> None:
        right.__class__ = type(fault.__name__, (fault, cast(type, right.__class__)), {})

    return each_protocol(change)


def address(change: Callable[[Address], Address]) -> Mutation:
    """The socket goes to another address."""

    def set_it(right: Any) -> None:
        old = right.address
        vars(right)["address"] = lambda: change(old())

    return each_protocol(set_it)


def session(fault: Callable[[Any], Any]) -> Mutation:
    """It stands around each session."""

    def mutate(provider: Provider) -> None:
        assert isinstance(provider, VendorStt | VendorTts)
        make = cast(Callable[..., Any], provider.open)

        async def opened(config: Any) -> Any:
            return fault(await make(config))

        vars(provider)["open"] = opened

    return mutate


# ------------------------------------------------------------------ both kinds


def query(name: str, value: object) -> Mutation:
    """Another value of a parameter."""
    return address(lambda right: replace(right, query={**right.query, name: value}))


def _other_scheme(right: Address) -> Address:
    headers = {name: f"Basic {value.rpartition(' ')[2]}" for name, value in right.headers.items()}
    return replace(right, headers=headers)


def _logged(right: Address) -> Address:
    logging.getLogger("plugin").debug("connecting with %s", dict(right.headers))
    return right


wrong_scheme = address(_other_scheme)
logs_its_key = address(_logged)
no_keepalive = each_protocol(lambda right: setattr(right, "keepalive_seconds", None))


# ------------------------------------------------------------------ protocols of speech-to-text


class NoFinalize(SttProtocol):
    """The vendor is not asked."""

    answer_seconds = 0.2

    def finalize(self) -> Iterable[Message]:
        """Nothing."""
        return ()


class TellsTheKey(SttProtocol):
    """In an error."""

    def take(self, message: dict[str, Any]) -> Iterator[SttEvent]:
        """The vendor's words as they are."""
        try:
            yield from super().take(message)  # type: ignore[safe-super]
        except ProviderError as error:
            raise type(error)(f"{error}: {message}", retryable=error.retryable) from None


class LogsWords(SttProtocol):
    """Of the caller."""

    def take(self, message: dict[str, Any]) -> Iterator[SttEvent]:
        """Logged."""
        logging.getLogger("plugin").info("received %s", message)
        yield from super().take(message)  # type: ignore[safe-super]


class PartialAfterFinal(SttProtocol):
    """A text that is over is told again."""

    def take(self, message: dict[str, Any]) -> Iterator[SttEvent]:
        """Both."""
        for event in super().take(message):  # type: ignore[safe-super]
            yield event
            if isinstance(event, Final):
                yield Partial(event.text)


class NoInterims(SttProtocol):
    """They are declared."""

    def take(self, message: dict[str, Any]) -> Iterator[SttEvent]:
        """Without them."""
        for event in super().take(message):  # type: ignore[safe-super]
            if not isinstance(event, Partial):
                yield event


class InterimsAreFinal(SttProtocol):
    """Text that may still change is told as text that will not."""

    def take(self, message: dict[str, Any]) -> Iterator[SttEvent]:
        """All final."""
        for event in super().take(message):  # type: ignore[safe-super]
            yield Final(event.text) if isinstance(event, Partial) else event


class DiesOfGarbage(SttProtocol):
    """Only what is documented is expected."""

    def take(self, message: dict[str, Any]) -> Iterator[SttEvent]:
        """An error of Python's."""
        if not all(
            isinstance(value, str | bool | float | dict | list) for value in message.values()
        ):
            raise RuntimeError("unexpected")
        if 7 in message.values():
            raise RuntimeError("unexpected type")
        yield from super().take(message)  # type: ignore[safe-super]


class Hopeless(SttProtocol):
    """A line that breaks is told as an error that stays."""

    def ended(self, error: ProviderError) -> ProviderError:
        """Not to be tried again."""
        return ProviderError(str(error), retryable=False)


class OneKindOfError(SttProtocol):
    """Whatever the vendor says may be tried again."""

    def ended(self, error: ProviderError) -> ProviderError:
        """An error that passes."""
        return ProviderUnavailableError(str(error))


class ForeignTag(SttProtocol):
    """The vendor's code of a language is told as the host's."""

    def take(self, message: dict[str, Any]) -> Iterator[SttEvent]:
        """Of another land."""
        for event in super().take(message):  # type: ignore[safe-super]
            yield replace(event, language="xx-XX") if isinstance(event, Final) else event


class ForeignPartialTag(SttProtocol):
    """As above, of an interim."""

    def take(self, message: dict[str, Any]) -> Iterator[SttEvent]:
        """The vendor's Odia."""
        for event in super().take(message):  # type: ignore[safe-super]
            yield replace(event, language="od-IN") if isinstance(event, Partial) else event


class MarksAll(SttProtocol):
    """Every text is told as the answer."""

    def take(self, message: dict[str, Any]) -> Iterator[SttEvent]:
        """Asked for or not."""
        for event in super().take(message):  # type: ignore[safe-super]
            yield replace(event, finalized=True) if isinstance(event, Final) else event


class MarksNone(SttProtocol):
    """No text is told as the answer: each is waited for in vain."""

    answer_seconds = 0.2

    def take(self, message: dict[str, Any]) -> Iterator[SttEvent]:
        """Of nothing that was asked for."""
        for event in super().take(message):  # type: ignore[safe-super]
            yield replace(event, finalized=False) if isinstance(event, Final) else event


class AcknowledgesNothing(SttProtocol):
    """Answers are marked, and nobody looks."""

    acknowledges = False


def declares_less(provider: Provider) -> None:
    """Than the vendor bears."""
    assert isinstance(provider, VendorStt)
    vars(provider)["capabilities"] = replace(provider.capabilities, keepalive_seconds=3)


def _without_extra(right: Any) -> None:
    right._options = right._options.model_copy(update={"extra": {}})


no_extra = each_protocol(_without_extra)


# ------------------------------------------------------------------ sessions of speech-to-text


class Around:
    """A session as it is."""

    def __init__(self, right: Any) -> None:
        self.right = right

    def __getattr__(self, name: str) -> Any:
        return getattr(self.right, name)


class DropsTheRest(Around):
    """What is less than a chunk at ``finalize()`` is lost."""

    def __init__(self, right: SttSession) -> None:
        super().__init__(right)
        self._frames: list[bytes] = []

    def send(self, audio: bytes) -> None:
        """Four frames at once."""
        self._frames.append(audio)
        if len(self._frames) == 4:
            self.right.send(b"".join(self._frames))
            self._frames.clear()

    def finalize(self) -> None:
        """Without them."""
        self._frames.clear()
        self.right.finalize()


class SwapsFrames(Around):
    """The second of two frames is sent first."""

    def __init__(self, right: SttSession) -> None:
        super().__init__(right)
        self._held = b""

    def send(self, audio: bytes) -> None:
        """The other way round."""
        if self._held:
            self.right.send(audio)
            self.right.send(self._held)
            self._held = b""
        else:
            self._held = audio


class AnswersTwice(Around):
    """Each answer comes twice."""

    async def events(self) -> AsyncIterator[SttEvent]:
        """With another one, that is empty."""
        async for event in self.right.events():
            yield event
            if isinstance(event, Final) and event.finalized:
                yield Final("", finalized=True)


class SwallowsErrors(Around):
    """The events just end."""

    async def events(self) -> AsyncIterator[Any]:
        """Without a word."""
        try:
            async for event in self.right.events():
                yield event
        except ProviderError:
            pass


class LeaksATask(Around):
    """It is not stopped at the end."""

    left: ClassVar[list[asyncio.Task[bool]]] = []

    def __init__(self, right: Any) -> None:
        super().__init__(right)
        self.left.append(asyncio.get_running_loop().create_task(asyncio.Event().wait()))


class LeavesTheLineOpen(Around):
    """Closing ends the events alone."""

    left: ClassVar[list[Any]] = []

    async def aclose(self) -> None:
        """Not the connection."""
        self.left.append(self.right)
        self.right._events.close()


class SharesALine(Around):
    """All calls of a process speak into the first one's."""

    first: ClassVar[list[Any]] = []

    def __init__(self, right: Any) -> None:
        super().__init__(right)
        self.first.append(right)

    def send(self, audio: bytes) -> None:
        """To the first."""
        self.first[0].send(audio)


# ------------------------------------------------------------------ protocols of text-to-speech


class NoEnd(TtsProtocol):
    """The vendor is not told that a text is whole."""

    def end(self, context: str) -> Iterable[Message]:
        """Nothing."""
        return ()


class NoCancel(TtsProtocol):
    """The vendor is not told, and its audio is taken as before."""

    clears = False

    def cancel(self, context: str) -> Iterable[Message]:
        """Nothing."""
        return ()


class Nameless(TtsProtocol):
    """The vendor's names of contexts are not looked at."""

    contexts = 1

    def take(self, message: dict[str, Any]) -> Iterator[TtsEvent | Cleared]:
        """All are of whatever is being said."""
        for event in super().take(message):  # type: ignore[safe-super]
            yield event if isinstance(event, Cleared) else replace(event, utterance_id="")


class DropsText(TtsProtocol):
    """Of several pieces only the first is sent."""

    _begun: set[str] | None = None

    def text(self, context: str, text: str) -> Iterable[Message]:
        """Once."""
        begun = self._begun = self._begun or set()
        if context in begun:
            return
        begun.add(context)
        yield from super().text(context, text)  # type: ignore[safe-super]


class _Taking(TtsProtocol):
    """Changes what is understood, whether it came as text or as bytes."""

    def changed(self, events: Iterable[TtsEvent | Cleared]) -> Iterator[TtsEvent | Cleared]:
        """As it is."""
        yield from events

    def take(self, message: dict[str, Any]) -> Iterator[TtsEvent | Cleared]:
        """Text."""
        yield from self.changed(super().take(message))  # type: ignore[safe-super]

    def take_bytes(self, audio: bytes) -> Iterator[TtsEvent | Cleared]:
        """Audio."""
        yield from self.changed(super().take_bytes(audio))


class DoneEarly(_Taking):
    """The first audio is taken for the last."""

    def changed(self, events: Iterable[TtsEvent | Cleared]) -> Iterator[TtsEvent | Cleared]:
        """Both."""
        for event in events:
            yield event
            if isinstance(event, TtsAudio):
                yield TtsDone(event.utterance_id)


class SwapsAudio(_Taking):
    """The second of two pieces comes first."""

    _held: TtsAudio | None = None

    def changed(self, events: Iterable[TtsEvent | Cleared]) -> Iterator[TtsEvent | Cleared]:
        """The other way round."""
        for event in events:
            if isinstance(event, TtsAudio) and self._held is None:
                self._held = event
                continue
            yield event
            if self._held is not None:
                yield self._held
                self._held = None


class LogsText(TtsProtocol):
    """Of the bot."""

    def text(self, context: str, text: str) -> Iterable[Message]:
        """Logged."""
        logging.getLogger("plugin").info("speaking %s", text)
        return super().text(context, text)  # type: ignore[safe-super]


class TellsTheKeyTts(TtsProtocol):
    """In an error."""

    def take(self, message: dict[str, Any]) -> Iterator[TtsEvent | Cleared]:
        """The vendor's words as they are."""
        try:
            yield from super().take(message)  # type: ignore[safe-super]
        except ProviderError as error:
            raise type(error)(f"{error}: {message}", retryable=error.retryable) from None


# ------------------------------------------------------------------ sessions of text-to-speech


class CancelsNothing(Around):
    """Cancelling does not stop what was made already."""

    async def cancel(self, utterance_id: str) -> None:
        """Nothing is done."""


class FailsIdle(Around):
    """A connection that the vendor closes while nothing is said is an error."""

    def __init__(self, right: TtsSession) -> None:
        super().__init__(right)
        ended = self.right._ended

        def told(socket: Any, error: ProviderError) -> None:
            if socket is self.right._socket:
                self.right._events.fail(error)
            ended(socket, error)

        self.right._socket._tell_ended = told
