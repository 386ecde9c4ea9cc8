"""Providers that fail at one call of the contract, in one way.

``at`` is the call: ``open``, ``send``, ``finalize``, ``events``, ``say``, ``cancel``, ``respond``
or ``aclose``. ``how`` is the way: ``fail`` raises a provider's error that may pass, ``crash`` what
is none, ``hang`` never returns, ``end`` ends by itself what gives out events or actions.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Literal

from exobridge_providers.base import (
    Action,
    CallContext,
    DialogueProvider,
    DialogueSession,
    OnVadFailure,
    OnVoice,
    Options,
    SttConfig,
    SttEvent,
    SttProvider,
    SttSession,
    TtsConfig,
    TtsEvent,
    TtsProvider,
    TtsSession,
    UserTurn,
    VadProvider,
    VadSession,
)
from exobridge_providers.errors import ProviderUnavailableError
from exobridge_providers.testing.fakes import (
    FakeDialogue,
    FakeDialogueOptions,
    FakeStt,
    FakeSttOptions,
    FakeTts,
    FakeTtsOptions,
    FakeVad,
    FakeVadOptions,
)

At = Literal["open", "send", "finalize", "events", "say", "cancel", "respond", "aclose"]
How = Literal["fail", "crash", "hang", "end"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong, and where."""

    at: At
    how: How

    def now(self, at: At) -> None:
        """A plain call."""
        if at != self.at:
            return
        if self.how == "fail":
            raise ProviderUnavailableError("broken", provider="broken")
        if self.how == "crash":
            raise ZeroDivisionError("hush-hush")

    async def wait(self, at: At) -> None:
        """A call that may wait."""
        self.now(at)
        if at == self.at and self.how == "hang":
            await asyncio.Event().wait()

    def ends(self, at: At) -> bool:
        """Whether what is given out ends here."""
        return at == self.at and self.how == "end"


class BrokenSttOptions(FakeSttOptions):
    """See the module."""

    at: At
    how: How


class _BrokenSttSession:
    def __init__(self, session: SttSession, fault: Fault) -> None:
        self._session = session
        self._fault = fault
        self._frames = 0

    def send(self, audio: bytes) -> None:
        self._frames += 1
        if self._frames > 5:
            self._fault.now("send")
        self._session.send(audio)

    def finalize(self) -> None:
        self._fault.now("finalize")
        self._session.finalize()

    def peek(self) -> None:
        self._session.peek()

    async def events(self) -> AsyncGenerator[SttEvent]:
        async for event in self._session.events():
            await self._fault.wait("events")
            if self._fault.ends("events"):
                return
            yield event

    async def aclose(self) -> None:
        await self._session.aclose()
        await self._fault.wait("aclose")


class BrokenStt(SttProvider):
    """See the module."""

    options_type = BrokenSttOptions

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        assert isinstance(options, BrokenSttOptions)
        self._fake = FakeStt(options)
        self._fault = Fault(options.at, options.how)
        self.capabilities = self._fake.capabilities

    async def open(self, config: SttConfig) -> SttSession:
        """As :meth:`exobridge_providers.base.SttProvider.open`."""
        await self._fault.wait("open")
        return _BrokenSttSession(await self._fake.open(config), self._fault)


class BrokenTtsOptions(FakeTtsOptions):
    """See the module."""

    at: At
    how: How


class _BrokenTtsSession:
    def __init__(self, session: TtsSession, fault: Fault) -> None:
        self._session = session
        self._fault = fault

    async def say(self, utterance_id: str, text: str, *, last: bool = True) -> None:
        await self._fault.wait("say")
        await self._session.say(utterance_id, text, last=last)

    async def cancel(self, utterance_id: str) -> None:
        await self._fault.wait("cancel")
        await self._session.cancel(utterance_id)

    async def events(self) -> AsyncGenerator[TtsEvent]:
        async for event in self._session.events():
            await self._fault.wait("events")
            if self._fault.ends("events"):
                return
            yield event

    async def aclose(self) -> None:
        await self._session.aclose()
        await self._fault.wait("aclose")


class BrokenTts(TtsProvider):
    """See the module. Lines that are rendered ahead come out well: it is a call's own session that
    goes wrong."""

    options_type = BrokenTtsOptions

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        assert isinstance(options, BrokenTtsOptions)
        self._fake = FakeTts(options)
        self._fault = Fault(options.at, options.how)
        self.capabilities = self._fake.capabilities

    async def open(self, config: TtsConfig) -> TtsSession:
        """As :meth:`exobridge_providers.base.TtsProvider.open`."""
        if not config.call_sid:
            return await self._fake.open(config)
        await self._fault.wait("open")
        return _BrokenTtsSession(await self._fake.open(config), self._fault)


class BrokenDialogueOptions(FakeDialogueOptions):
    """See the module."""

    at: At
    how: How


class _BrokenDialogueSession:
    def __init__(self, session: DialogueSession, fault: Fault) -> None:
        self._session = session
        self._fault = fault

    async def respond(self, turn: UserTurn) -> AsyncGenerator[Action, None]:
        await self._fault.wait("respond")
        if not self._fault.ends("respond"):
            async for action in self._session.respond(turn):
                yield action

    async def aclose(self) -> None:
        await self._session.aclose()
        await self._fault.wait("aclose")


class BrokenDialogue(DialogueProvider):
    """See the module."""

    options_type = BrokenDialogueOptions

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        assert isinstance(options, BrokenDialogueOptions)
        self._fake = FakeDialogue(options)
        self._fault = Fault(options.at, options.how)

    async def open(self, context: CallContext) -> DialogueSession:
        """As :meth:`exobridge_providers.base.DialogueProvider.open`."""
        await self._fault.wait("open")
        return _BrokenDialogueSession(await self._fake.open(context), self._fault)


class BrokenVadOptions(FakeVadOptions):
    """See the module."""

    at: At
    how: How


class _BrokenVadSession:
    def __init__(self, session: VadSession, fault: Fault) -> None:
        self._session = session
        self._fault = fault
        self._frames = 0

    def send(self, pcm: bytes) -> None:
        self._frames += 1
        if self._frames > 30:
            self._fault.now("send")
        self._session.send(pcm)

    def close(self) -> None:
        self._session.close()
        self._fault.now("aclose")


class BrokenVad(VadProvider):
    """See the module; nothing of it can wait."""

    options_type = BrokenVadOptions

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        assert isinstance(options, BrokenVadOptions)
        self._fake = FakeVad(options)
        self._fault = Fault(options.at, options.how)
        self.sample_rates = self._fake.sample_rates

    def open(self, sample_rate: int, on_voice: OnVoice, on_failure: OnVadFailure) -> VadSession:
        """As :meth:`exobridge_providers.base.VadProvider.open`."""
        self._fault.now("open")
        return _BrokenVadSession(self._fake.open(sample_rate, on_voice, on_failure), self._fault)
