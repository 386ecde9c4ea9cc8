"""Providers with the bugs a plugin can have: what the contract forbids, and the fakes do not do.

``how`` says what goes wrong: ``hang-start`` and ``crash-start`` do so when the process starts,
``crash-first-start`` the first time alone (speech-to-text only); ``hang-open`` never opens;
``slow-open`` takes half a second to; ``crash-open`` raises what is no ``ProviderError``;
``crash`` raises so in the middle of the call; ``garbage`` puts out what is no event; ``end`` ends
its events by itself; ``hang-close`` never closes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, ClassVar, Literal, cast

from exobridge_providers.base import (
    Action,
    CallContext,
    DialogueProvider,
    DialogueSession,
    OnVadFailure,
    OnVoice,
    Options,
    RealtimeProvider,
    RealtimeSession,
    Say,
    Speak,
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
from exobridge_providers.testing.fakes import (
    FakeDialogue,
    FakeDialogueOptions,
    FakeRealtime,
    FakeRealtimeOptions,
    FakeStt,
    FakeSttOptions,
    FakeTts,
    FakeTtsOptions,
    FakeVad,
    FakeVadOptions,
)

How = Literal[
    "hang-start",
    "crash-start",
    "crash-first-start",
    "hang-open",
    "slow-open",
    "crash-open",
    "crash",
    "garbage",
    "end",
    "hang-close",
]


class PluginBugError(Exception):
    """No ``ProviderError``, and it tells what it must not: 'hush-hush'."""

    def __init__(self) -> None:
        super().__init__("hush-hush")


async def _hang() -> None:
    await asyncio.Event().wait()


async def _opening(how: How) -> None:
    if how == "hang-open":
        await _hang()
    if how == "slow-open":
        await asyncio.sleep(0.5)
    if how == "crash-open":
        raise PluginBugError


class FaultySttOptions(FakeSttOptions):
    """See the module."""

    how: How


class _FaultySttSession:
    def __init__(self, session: SttSession, how: How) -> None:
        self._session = session
        self._how = how
        self._frames = 0

    def send(self, audio: bytes) -> None:
        self._frames += 1
        if self._how == "crash" and self._frames > 5:
            raise PluginBugError
        self._session.send(audio)

    def finalize(self) -> None:
        self._session.finalize()

    def peek(self) -> None:
        self._session.peek()

    async def events(self) -> AsyncGenerator[SttEvent]:
        async for event in self._session.events():
            if self._how == "end":
                return
            yield cast(Any, "garbage") if self._how == "garbage" else event

    async def aclose(self) -> None:
        await self._session.aclose()
        if self._how == "hang-close":
            await _hang()


class FaultyStt(SttProvider):
    """See the module. With ``crash-first-start`` the process remembers the option ``otherwise`` as
    that of a vendor who has had his trouble."""

    options_type = FaultySttOptions
    recovered: ClassVar[set[str]] = set()

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        assert isinstance(options, FaultySttOptions)
        self._fake = FakeStt(options)
        self._how: How = options.how
        self.capabilities = self._fake.capabilities
        self._vendor = options.otherwise

    async def start(self) -> None:
        """As :meth:`exobridge_providers.base.Provider.start`."""
        if self._how == "hang-start":
            await _hang()
        recovers = self._how == "crash-first-start" and self._vendor not in self.recovered
        if self._how == "crash-start" or recovers:
            self.recovered.add(self._vendor)
            raise PluginBugError

    async def open(self, config: SttConfig) -> SttSession:
        """As :meth:`exobridge_providers.base.SttProvider.open`."""
        await _opening(self._how)
        return _FaultySttSession(await self._fake.open(config), self._how)


class FaultyTtsOptions(FakeTtsOptions):
    """See the module."""

    how: How


class _FaultyTtsSession:
    def __init__(self, session: TtsSession, how: How, *, for_prompts: bool) -> None:
        self._session = session
        self._how = "" if for_prompts else how
        self._ended = asyncio.Event()

    async def say(self, utterance_id: str, text: str, *, last: bool = True) -> None:
        if self._how == "crash":
            raise PluginBugError
        await self._session.say(utterance_id, text, last=last)

    async def cancel(self, utterance_id: str) -> None:
        await self._session.cancel(utterance_id)

    async def events(self) -> AsyncIterator[TtsEvent]:
        async for event in self._session.events():
            if self._how == "end":
                return
            yield cast(Any, "garbage") if self._how == "garbage" else event

    async def aclose(self) -> None:
        await self._session.aclose()
        if self._how == "hang-close":
            await _hang()


class FaultyTts(TtsProvider):
    """See the module. Lines that are rendered ahead come out well: it is a call's own session that
    goes wrong."""

    options_type = FaultyTtsOptions

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        assert isinstance(options, FaultyTtsOptions)
        self._fake = FakeTts(options)
        self._how: How = options.how
        self.capabilities = self._fake.capabilities

    async def open(self, config: TtsConfig) -> TtsSession:
        """As :meth:`exobridge_providers.base.TtsProvider.open`."""
        for_prompts = not config.call_sid
        if not for_prompts:
            await _opening(self._how)
        session = await self._fake.open(config)
        return _FaultyTtsSession(session, self._how, for_prompts=for_prompts)


class FaultyVadOptions(FakeVadOptions):
    """See the module."""

    how: How


class _FaultyVadSession:
    def __init__(self, session: VadSession, how: How) -> None:
        self._session = session
        self._how = how
        self._frames = 0

    def send(self, pcm: bytes) -> None:
        self._frames += 1
        if self._how == "crash" and self._frames > 30:
            raise PluginBugError
        self._session.send(pcm)

    def close(self) -> None:
        self._session.close()
        if self._how == "hang-close":  # it cannot wait, but it can raise
            raise PluginBugError


class FaultyVad(VadProvider):
    """See the module."""

    options_type = FaultyVadOptions

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        assert isinstance(options, FaultyVadOptions)
        self._fake = FakeVad(options)
        self._how: How = options.how
        self.sample_rates = self._fake.sample_rates

    def open(self, sample_rate: int, on_voice: OnVoice, on_failure: OnVadFailure) -> VadSession:
        """As :meth:`exobridge_providers.base.VadProvider.open`."""
        if self._how == "crash-open":
            raise PluginBugError
        return _FaultyVadSession(self._fake.open(sample_rate, on_voice, on_failure), self._how)


class FaultyDialogueOptions(FakeDialogueOptions):
    """See the module."""

    how: How


class _FaultyDialogueSession:
    def __init__(self, session: DialogueSession, how: How) -> None:
        self._session = session
        self._how = how

    async def respond(self, turn: UserTurn) -> AsyncGenerator[Action, None]:
        if self._how == "crash":
            raise PluginBugError
        if self._how == "garbage":
            yield cast(Any, "garbage")
        try:
            yield Say("Well.")
        finally:
            if self._how == "end":  # when it is told to end, it does not
                await _hang()

    async def aclose(self) -> None:
        await self._session.aclose()
        if self._how == "hang-close":
            await _hang()


class FaultyDialogue(DialogueProvider):
    """See the module."""

    options_type = FaultyDialogueOptions

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        assert isinstance(options, FaultyDialogueOptions)
        self._fake = FakeDialogue(options)
        self._how: How = options.how

    async def open(self, context: CallContext) -> DialogueSession:
        """As :meth:`exobridge_providers.base.DialogueProvider.open`."""
        await _opening(self._how)
        return _FaultyDialogueSession(await self._fake.open(context), self._how)


class FaultyRealtimeOptions(FakeRealtimeOptions):
    """See the module."""

    how: How


class _FaultyRealtimeSession:
    def __init__(self, session: RealtimeSession, how: How) -> None:
        self._session = session
        self._how = how
        self._frames = 0

    def hear(self, pcm: bytes) -> None:
        self._frames += 1
        if self._how == "crash" and self._frames > 30:
            raise PluginBugError
        self._session.hear(pcm)

    async def aclose(self) -> None:
        await self._session.aclose()
        if self._how == "hang-close":
            await _hang()


class FaultyRealtime(RealtimeProvider):
    """See the module."""

    options_type = FaultyRealtimeOptions

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        assert isinstance(options, FaultyRealtimeOptions)
        self._fake = FakeRealtime(options)
        self._how: How = options.how
        self.sample_rates = self._fake.sample_rates

    async def open(self, context: CallContext, sample_rate: int, speak: Speak) -> RealtimeSession:
        """As :meth:`exobridge_providers.base.RealtimeProvider.open`."""
        await _opening(self._how)
        session = await self._fake.open(context, sample_rate, speak)
        return _FaultyRealtimeSession(session, self._how)
