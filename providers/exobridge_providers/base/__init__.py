"""The contracts: what a speech, dialogue or voice-activity provider is.

A *provider* is made once per process from its name and options, ``start()``-ed before the first
call (load the model, check the key) and ``aclose()``-d at the end. It opens one *session* a call.

The division of work, the same for every kind: **the plugin speaks its vendor's protocol and emits
typed events; the host does the time-outs, retries, failover, resampling, metrics and cleanup.**
What a plugin can do is declared in its capabilities and never probed. Failures are
:class:`~exobridge_providers.errors.ProviderError`; a session's ``aclose()`` may be called at any
time, more than once, and leaves no task and no socket behind.

Audio is bytes of one channel in an :class:`~exobridge_codecs.formats.AudioFormat`; times are in
milliseconds.
"""

from __future__ import annotations

from exobridge_providers.base.checks import check_config, speaks
from exobridge_providers.base.common import AnyOptions, Options, Provider, wrong_option
from exobridge_providers.base.dialogue import (
    Action,
    CallContext,
    CollectDigits,
    DialogueProvider,
    DialogueSession,
    HangUp,
    Resumption,
    Said,
    Say,
    SendDtmf,
    SetLanguage,
    Transfer,
    TransferFailure,
    Usage,
    UserTurn,
)
from exobridge_providers.base.realtime import RealtimeProvider, RealtimeSession, Speak
from exobridge_providers.base.stt import (
    EagerEnd,
    Final,
    Partial,
    Resumed,
    SpeechEnded,
    SpeechStarted,
    SttCapabilities,
    SttConfig,
    SttEvent,
    SttProvider,
    SttSession,
    SttTrouble,
)
from exobridge_providers.base.tts import (
    Cancel,
    TtsAudio,
    TtsCapabilities,
    TtsConfig,
    TtsDone,
    TtsEvent,
    TtsProvider,
    TtsSession,
    TtsTrouble,
)
from exobridge_providers.base.vad import OnVadFailure, OnVoice, VadProvider, VadSession

__all__ = [
    "Action",
    "AnyOptions",
    "CallContext",
    "Cancel",
    "CollectDigits",
    "DialogueProvider",
    "DialogueSession",
    "EagerEnd",
    "Final",
    "HangUp",
    "OnVadFailure",
    "OnVoice",
    "Options",
    "Partial",
    "Provider",
    "RealtimeProvider",
    "RealtimeSession",
    "Resumed",
    "Resumption",
    "Said",
    "Say",
    "SendDtmf",
    "SetLanguage",
    "Speak",
    "SpeechEnded",
    "SpeechStarted",
    "SttCapabilities",
    "SttConfig",
    "SttEvent",
    "SttProvider",
    "SttSession",
    "SttTrouble",
    "Transfer",
    "TransferFailure",
    "TtsAudio",
    "TtsCapabilities",
    "TtsConfig",
    "TtsDone",
    "TtsEvent",
    "TtsProvider",
    "TtsSession",
    "TtsTrouble",
    "Usage",
    "UserTurn",
    "VadProvider",
    "VadSession",
    "check_config",
    "speaks",
    "wrong_option",
]
