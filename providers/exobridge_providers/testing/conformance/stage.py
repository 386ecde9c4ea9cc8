"""Where a check takes place: a plugin, a fake of its vendor, and who watches them."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Self, TypeVar

from exobridge_codecs.codec import encoder
from exobridge_codecs.formats import AudioFormat
from exobridge_providers.base import (
    Final,
    Provider,
    SttConfig,
    SttEvent,
    SttProvider,
    SttSession,
    TtsConfig,
    TtsProvider,
    TtsSession,
    speaks,
)
from exobridge_providers.registry import Kind
from exobridge_providers.testing.cases import VendorCase, key_in_environment
from exobridge_providers.testing.conformance.calls import CLOSE_LIMIT_SECONDS, SttCall, TtsCall
from exobridge_providers.testing.conformance.watch import (
    keeps_secrets,
    listening_to_logs,
    nothing_left,
    told_by,
    until,
)
from exobridge_providers.testing.contract.promises import promise, within
from exobridge_providers.testing.fake_vendor import FakeVendor
from exobridge_providers.testing.letters import spoken
from exobridge_providers.vendor import SttProtocol, TtsProtocol, VendorStt, VendorTts

Speech = Callable[[AudioFormat], bytes]
"""A spoken sentence in a format."""

SENTENCE = "quartz violet"
"""What is said where it does not matter what. No word of it is one that an error would have."""

IDLE_SECONDS = 0.2
"""What a vendor's limit of idle time is made to be."""

IDLES = 2.5
"""For so many times the vendor's limit nothing is said."""

CALL_SID = "conformance"
LIMIT_SECONDS = 8.0
"""Longest wait for what a plugin promises; a vendor's answer in a check takes milliseconds."""

LEAVING_SECONDS = 2.0
"""Longest wait for what was closed to be gone."""

SessionT = TypeVar("SessionT", bound=SttSession | TtsSession)


def letters(audio_format: AudioFormat, text: str = SENTENCE) -> bytes:
    """A text as fakes understand it."""
    return encoder(audio_format.encoding)(spoken(text, audio_format.sample_rate))


class Hurry:
    """Makes the waits of a plugin's protocols shorter, so that a check does not take minutes.

    Attributes:
        answer_seconds: Longest wait for an answer, where not the plugin's own.
        keeps_alive: The plugin does something for idle connections.
        acknowledges: What the plugin says of its vendor's answers; ``None``: it does not say.
        marked: How many texts it has told as the vendor's answers.
    """

    def __init__(self, provider: Provider) -> None:
        self.answer_seconds = math.inf
        self.keeps_alive = False
        self.acknowledges: bool | None = None
        self.marked = 0
        self._scale = 1.0
        if isinstance(provider, VendorStt):
            vars(provider)["protocol"] = self._stt(provider.protocol)
        elif isinstance(provider, VendorTts):
            vars(provider)["protocol"] = self._tts(provider.protocol)

    def idle(self, limit_seconds: float) -> float:
        """Let idle time pass faster, so that a vendor's limit of it is a short one.

        Returns:
            The limit in the time that a check takes.
        """
        self._scale = IDLE_SECONDS / limit_seconds
        return IDLE_SECONDS

    def _stt(
        self, make: Callable[[SttConfig, str], SttProtocol]
    ) -> Callable[[SttConfig, str], SttProtocol]:
        def hurried(config: SttConfig, key: str) -> SttProtocol:
            protocol = make(config, key)
            vars(protocol)["answer_seconds"] = min(protocol.answer_seconds, self.answer_seconds)
            self._count_marks(protocol)
            self._keep_alive_sooner(protocol)
            return protocol

        return hurried

    def _count_marks(self, protocol: SttProtocol) -> None:
        take = protocol.take
        self.acknowledges = protocol.acknowledges

        def taken(message: dict[str, Any]) -> Iterator[SttEvent]:
            for event in take(message):
                self.marked += isinstance(event, Final) and event.finalized
                yield event

        vars(protocol)["take"] = taken

    def _tts(
        self, make: Callable[[TtsConfig, str], TtsProtocol]
    ) -> Callable[[TtsConfig, str], TtsProtocol]:
        def hurried(config: TtsConfig, key: str) -> TtsProtocol:
            protocol = make(config, key)
            self._keep_alive_sooner(protocol)
            return protocol

        return hurried

    def _keep_alive_sooner(self, protocol: SttProtocol | TtsProtocol) -> None:
        if protocol.keepalive_seconds is not None:
            self.keeps_alive = True
            protocol.keepalive_seconds *= self._scale


def _language(provider: Provider) -> str:
    """One that it knows: English, if it is."""
    known = (
        provider.capabilities.languages
        if isinstance(provider, SttProvider | TtsProvider)
        else frozenset[str]()
    )
    return "en-IN" if speaks(known, "en-IN") else min(known)


class Stage:
    """One check's surroundings. When it is over, nothing must be left of what was done here, no
    secret told, and no rule of the vendor's broken.

    Attributes:
        provider: Started.
        speech: A spoken sentence.
        language: BCP-47 tag of it.
        limit_seconds: Longest wait for what is promised.
        errors: All that were raised.
        secrets: What must stand in no log and no error.
    """

    def __init__(
        self,
        kind: Kind,
        provider: Provider,
        speech: Speech,
        language: str,
        vendor: FakeVendor | None = None,
        limit_seconds: float = LIMIT_SECONDS,
    ) -> None:
        self.kind = kind
        self.limit_seconds = limit_seconds
        self._leaving_seconds = min(limit_seconds, LEAVING_SECONDS)
        self.provider = provider
        self.speech = speech
        self.language = language
        self.errors: list[BaseException] = []
        self.secrets: list[str] = [*SENTENCE.split()]
        self.hurry = Hurry(provider)
        self._vendor = vendor
        self._sessions: list[SttSession | TtsSession] = []
        if vendor is not None:
            self.secrets.append(vendor.key)

    # -------------------------------------------------------------- made

    @classmethod
    @asynccontextmanager
    async def of_case(
        cls,
        case: VendorCase,
        options: Mapping[str, Any] | None = None,
        limit_seconds: float = LIMIT_SECONDS,
    ) -> AsyncGenerator[Self]:
        """With a fake."""
        async with case.fake().listening() as vendor:
            provider = case.provider(vendor, **(options or {}))
            stage = cls(case.kind, provider, letters, case.language, vendor, limit_seconds)
            with key_in_environment(vendor):
                async with stage._watched():
                    await provider.start()
                    yield stage

    @classmethod
    @asynccontextmanager
    async def alone(cls, kind: Kind, provider: Provider, speech: Speech) -> AsyncGenerator[Self]:
        """Without a fake."""
        await provider.start()  # a model's own threads and files stay until the process ends
        stage = cls(kind, provider, speech, _language(provider))
        try:
            async with stage._watched():
                yield stage
        finally:
            await provider.aclose()

    @asynccontextmanager
    async def _watched(self) -> AsyncGenerator[None]:
        with listening_to_logs() as lines:
            async with nothing_left(self._leaving_seconds):
                try:
                    yield
                except BaseException:
                    await self._give_up()
                    raise
                finally:
                    if self._vendor is not None:
                        await self.provider.aclose()
                if self._vendor is not None:
                    await self._all_left(self._vendor)
        keeps_secrets(lines, self.secrets, "logs")
        keeps_secrets(map(told_by, self.errors), self.secrets, "errors")
        if self._vendor is not None:
            broken = self._vendor.violations
            promise(not broken, f"the vendor's rules are kept; broken: {broken[:3]}")

    def idle_pause(self) -> float:
        """Make the vendor's limit of idle time, if it has one, a short one.

        Returns:
            A pause several times as long, in seconds.
        """
        limit = self.vendor.idle_seconds
        if limit is not None:
            self.vendor.idle_seconds = self.hurry.idle(limit)
        return IDLES * IDLE_SECONDS

    async def _give_up(self) -> None:
        """Close what a check that failed has left open: the next one is not to trip over it."""
        closing = (session.aclose() for session in self._sessions)
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_LIMIT_SECONDS):
                await asyncio.gather(*closing, return_exceptions=True)

    async def _all_left(self, vendor: FakeVendor) -> None:
        await until(lambda: not vendor.open_connections, self._leaving_seconds)
        left = vendor.open_connections
        promise(not left, f"a closed session leaves no connection open; left: {left}")

    # -------------------------------------------------------------- used

    @property
    def vendor(self) -> FakeVendor:
        """The fake."""
        assert self._vendor is not None, "this check needs a fake"
        return self._vendor

    @property
    def stt(self) -> SttProvider:
        """The plugin, of speech-to-text."""
        assert isinstance(self.provider, SttProvider)
        return self.provider

    @property
    def tts(self) -> TtsProvider:
        """The plugin, of text-to-speech."""
        assert isinstance(self.provider, TtsProvider)
        return self.provider

    async def hear(self, audio_format: AudioFormat | None = None, *, language: str = "") -> SttCall:
        """Open a session of speech-to-text.

        Raises:
            ProviderError: It cannot be opened.
        """
        known = self.stt.capabilities.formats
        config = SttConfig(audio_format or known[0], language or self.language, CALL_SID)
        session = await self._opened(self.stt.open(config))
        hushes = self.stt.capabilities.end_of_turn
        return SttCall(session, config, self.errors, self.limit_seconds, hushes=hushes)

    async def speak(
        self, audio_format: AudioFormat | None = None, *, language: str = ""
    ) -> TtsCall:
        """Open a session of text-to-speech.

        Raises:
            ProviderError: It cannot be opened.
        """
        known = self.tts.capabilities.formats
        config = TtsConfig(audio_format or known[0], language or self.language, call_sid=CALL_SID)
        session = await self._opened(self.tts.open(config))
        return TtsCall(session, config, self.errors, self.limit_seconds)

    async def open_unread(self) -> TtsSession:
        """A session of text-to-speech whose events nobody reads."""
        config = TtsConfig(self.tts.capabilities.formats[0], self.language, call_sid=CALL_SID)
        return await self._opened(self.tts.open(config))

    async def _opened(self, opening: Awaitable[SessionT]) -> SessionT:
        try:
            session = await within(opening, self.limit_seconds, "open returns")
        except Exception as error:
            self.errors.append(error)
            raise
        self._sessions.append(session)
        return session
