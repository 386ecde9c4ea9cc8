"""Providers of every kind whose contract is broken at one call, in one way: the fakes otherwise.

The calls are not listed here: they are what the contract's classes declare.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from dataclasses import fields
from typing import Any, ClassVar, Literal, cast, get_args, get_origin, get_type_hints

from exobridge_providers import base
from exobridge_providers.errors import ProviderUnavailableError
from exobridge_providers.registry import BASES, Kind
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

SESSIONS: dict[Kind, type] = {
    Kind.STT: base.SttSession,
    Kind.TTS: base.TtsSession,
    Kind.VAD: base.VadSession,
    Kind.DIALOGUE: base.DialogueSession,
    Kind.REALTIME: base.RealtimeSession,
}
"""What each kind of provider opens."""

How = Literal["fail", "crash", "hang", "garbage", "malformed", "end"]
"""``fail`` raises a provider's error that may pass, ``crash`` what is none; ``hang`` never returns;
``garbage`` gives back, gives out, or tells what the contract does not know; ``malformed`` gives
out an event or action of the contract that holds garbage; ``end`` ends by itself what gives them
out."""

_PLAIN: tuple[How, ...] = ("fail", "crash", "garbage")
_AWAITED: tuple[How, ...] = (*_PLAIN, "hang")

WAYS: dict[str, tuple[How, ...]] = {
    "plain": _PLAIN,
    "awaited": _AWAITED,
    "stream": (*_AWAITED, "end"),
    "callback": ("garbage",),
}
"""How each shape of a call may go wrong; a plain one cannot wait."""


class PluginBugError(Exception):
    """No ``ProviderError``, and it tells what it must not: 'hush-hush'."""

    def __init__(self) -> None:
        super().__init__("hush-hush")


def shape(method: Callable[..., object]) -> str:
    """Of a method of the contract: a key of ``WAYS``."""
    if inspect.iscoroutinefunction(method):
        return "awaited"
    returned = str(inspect.signature(method).return_annotation)
    return "stream" if returned.startswith(("AsyncIterator", "AsyncGenerator")) else "plain"


def calls(kind: Kind) -> dict[str, str]:
    """Every call of a kind's contract and its shape: ``provider.open``, ``session.send``, and what
    the provider is given to call, ``callback.speak``."""
    found: dict[str, str] = {}
    for owner, declared in (("provider", BASES[kind]), ("session", SESSIONS[kind])):
        for name, method in inspect.getmembers(declared, inspect.isfunction):
            if not name.startswith("_"):
                found[f"{owner}.{name}"] = shape(method)
    parameters = get_type_hints(cast(Any, BASES[kind]).open)
    given = [name for name, hint in parameters.items() if get_origin(hint) is Callable]
    return found | {f"callback.{name}": "callback" for name in given}


def events(kind: Kind) -> dict[str, type]:
    """What the sessions of a kind give out and can be malformed, events or actions, by name."""
    found: dict[str, type] = {}
    for name, method in inspect.getmembers(SESSIONS[kind], inspect.isfunction):
        if not name.startswith("_") and shape(method) == "stream":
            given_out = get_args(get_type_hints(method)["return"])[0]
            found |= {each.__name__: each for each in get_args(given_out) if _may_be_bad(each)}
    return found


def _may_be_bad(event: Any) -> bool:
    return any(each.name != "utterance_id" for each in fields(event))


class FaultOptions(base.Options):
    """What goes wrong.

    Attributes:
        case: Names the fault in ``Fault.reached``.
        at: The call, as ``calls`` names it.
        event: What is malformed, as ``events`` names it.
        after: So many calls, or events, go well before.
        in_prompts: Lines that are rendered ahead of a call go wrong as well.
    """

    case: str = ""
    at: str
    how: How
    event: str = ""
    after: int = 0
    in_prompts: bool = False


class Fault:
    """One fault, wherever its call is made."""

    reached: ClassVar[Counter[str]] = Counter()
    """How often each case went wrong."""

    def __init__(self, options: FaultOptions) -> None:
        self._options = options
        self._left = options.after

    def is_at(self, call: str) -> bool:
        """Whether this is the call."""
        return call == self._options.at

    def _strikes(self) -> bool:
        if self._left:
            self._left -= 1
            return False
        self.reached[self._options.case] += 1
        return True

    def spares(self, config: object) -> bool:
        """Whether a session so configured goes well: one that renders lines ahead of calls."""
        ahead = isinstance(config, base.TtsConfig) and not config.call_sid
        return ahead and not self._options.in_prompts

    @property
    def _works(self) -> bool:
        """Whether the call does its work before it goes wrong: so that a fake that is closed leaves
        nothing behind, and one that gives back garbage is no mute one."""
        _, name = self._options.at.split(".")
        return name.endswith("close") or (self._options.how == "garbage" and name != "open")

    def _raise(self) -> None:
        if self._options.how == "fail":
            raise ProviderUnavailableError("broken", provider="broken")
        if self._options.how == "crash":
            raise PluginBugError

    def broken(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """The method with the fault."""
        broken = {"plain": self._plain, "awaited": self._awaited, "stream": self._stream}
        return broken[shape(method)](method)

    def _plain(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if not self._strikes():
                return method(*args, **kwargs)
            if self._works:
                method(*args, **kwargs)
            self._raise()
            return object()

        return call

    def _awaited(self, method: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            if any(map(self.spares, args)) or not self._strikes():
                return await method(*args, **kwargs)
            if self._works:
                await method(*args, **kwargs)
            self._raise()
            if self._options.how == "hang":
                await asyncio.Event().wait()
            return object()

        return call

    def _stream(self, method: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*args: Any, **kwargs: Any) -> AsyncGenerator[Any]:
            given_out = method(*args, **kwargs)
            how = self._options.how
            while True:
                strikes = self._strikes()
                if strikes and how != "malformed":
                    self._raise()
                    if how == "hang":
                        await asyncio.Event().wait()
                    if how == "end":
                        return
                    yield object()
                try:
                    event = await anext(given_out)
                except StopAsyncIteration:
                    return
                if strikes and how == "malformed":
                    yield self._malformed(event)
                yield event

        return call

    def _malformed(self, event: object) -> object:
        """Of the same utterance as an event, if it is of any; all else of it is garbage."""
        name = self._options.event
        found = next(each[name] for each in map(events, Kind) if name in each)
        garbage: dict[str, object] = {each.name: object() for each in fields(cast(Any, found))}
        if "utterance_id" in garbage:
            garbage["utterance_id"] = cast(base.TtsEvent, event).utterance_id
        return found(**garbage)

    def callback(self, name: str, told: Callable[..., None]) -> Callable[..., None]:
        """What a provider is given to call, called with what it does not take."""
        if not self.is_at(f"callback.{name}"):
            return told

        def tell(*args: Any) -> None:
            garbage = [object() for _ in args] if self._strikes() else args
            told(*garbage)

        return tell


class _BrokenSession:
    """A fake's session with one broken call."""

    def __init__(self, session: Any, fault: Fault) -> None:
        self._session = session
        self._fault = fault

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._session, name)
        return self._fault.broken(method) if self._fault.is_at(f"session.{name}") else method


class _Broken(base.Provider):
    """A fake with one broken call; stands before the fake's class."""

    _fault: Fault | None = None

    def __init__(self, options: base.Options) -> None:
        super().__init__(options)
        assert isinstance(options, FaultOptions)
        self._fault = Fault(options)

    def __getattribute__(self, name: str) -> Any:
        found = object.__getattribute__(self, name)
        if name.startswith("_"):
            return found
        fault = self._fault
        return fault.broken(found) if fault and fault.is_at(f"provider.{name}") else found

    @property
    def _broken(self) -> Fault:
        assert self._fault is not None
        return self._fault

    def _session(self, session: object) -> Any:
        return _BrokenSession(session, self._broken)


class BrokenSttOptions(FaultOptions, FakeSttOptions):
    """See the module."""


class BrokenStt(_Broken, FakeStt):
    """See the module."""

    options_type = cast(type[FakeSttOptions], BrokenSttOptions)

    async def open(self, config: base.SttConfig) -> base.SttSession:
        """As the fake."""
        return cast(base.SttSession, self._session(await super().open(config)))


class BrokenTtsOptions(FaultOptions, FakeTtsOptions):
    """See the module."""


class BrokenTts(_Broken, FakeTts):
    """See the module."""

    options_type = cast(type[FakeTtsOptions], BrokenTtsOptions)

    async def open(self, config: base.TtsConfig) -> base.TtsSession:
        """As the fake."""
        session = await super().open(config)
        if self._broken.spares(config):
            return session
        return cast(base.TtsSession, self._session(session))


class BrokenVadOptions(FaultOptions, FakeVadOptions):
    """See the module."""


class BrokenVad(_Broken, FakeVad):
    """See the module."""

    options_type = cast(type[FakeVadOptions], BrokenVadOptions)

    def open(
        self, sample_rate: int, on_voice: base.OnVoice, on_failure: base.OnVadFailure
    ) -> base.VadSession:
        """As the fake."""
        tell = self._broken.callback
        session = super().open(
            sample_rate, tell("on_voice", on_voice), tell("on_failure", on_failure)
        )
        return cast(base.VadSession, self._session(session))


class BrokenDialogueOptions(FaultOptions, FakeDialogueOptions):
    """See the module."""


class BrokenDialogue(_Broken, FakeDialogue):
    """See the module."""

    options_type = cast(type[FakeDialogueOptions], BrokenDialogueOptions)

    async def open(self, context: base.CallContext) -> base.DialogueSession:
        """As the fake."""
        return cast(base.DialogueSession, self._session(await super().open(context)))


class BrokenRealtimeOptions(FaultOptions, FakeRealtimeOptions):
    """See the module."""


class BrokenRealtime(_Broken, FakeRealtime):
    """See the module."""

    options_type = cast(type[FakeRealtimeOptions], BrokenRealtimeOptions)

    async def open(
        self, context: base.CallContext, sample_rate: int, speak: base.Speak
    ) -> base.RealtimeSession:
        """As the fake."""
        told = self._broken.callback("speak", speak)
        session = await super().open(context, sample_rate, told)
        return cast(base.RealtimeSession, self._session(session))
