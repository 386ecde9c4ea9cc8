"""Fakes of every kind of provider: real providers with a script, and faults that can be ordered.

They can be made directly, ``FakeStt(FakeSttOptions(script=("hello",), fault="hang"))``, or named in
a template, ``provider = "exobridge_providers.testing.fakes:FakeStt"``. Each says in its docstring
how it is unrealistic.
"""

from exobridge_providers.testing.fake_dialogue import (
    FakeDialogue,
    FakeDialogueOptions,
    FakeDialogueSession,
)
from exobridge_providers.testing.fake_realtime import (
    FakeRealtime,
    FakeRealtimeOptions,
    FakeRealtimeSession,
)
from exobridge_providers.testing.fake_stt import FakeStt, FakeSttOptions, FakeSttSession
from exobridge_providers.testing.fake_tts import FakeTts, FakeTtsOptions, FakeTtsSession
from exobridge_providers.testing.fake_vad import FakeVad, FakeVadOptions, FakeVadSession

__all__ = [
    "FakeDialogue",
    "FakeDialogueOptions",
    "FakeDialogueSession",
    "FakeRealtime",
    "FakeRealtimeOptions",
    "FakeRealtimeSession",
    "FakeStt",
    "FakeSttOptions",
    "FakeSttSession",
    "FakeTts",
    "FakeTtsOptions",
    "FakeTtsSession",
    "FakeVad",
    "FakeVadOptions",
    "FakeVadSession",
]
