"""The contract suite: what every provider promises, as checks to be run over a started one.

Each check opens sessions, uses them as the host does, and raises ``AssertionError`` naming the
promise that was broken. ``pytest`` is not needed. It calls only what the contract in
:mod:`exobridge_providers.base` names::

    provider = AcmeStt(AcmeOptions(key="…"))
    await provider.start()
    await check_stt(provider, speech=pcm, language="en-IN")
    await provider.aclose()
"""

from exobridge_providers.testing.contract.dialogue import check_dialogue
from exobridge_providers.testing.contract.realtime import check_realtime
from exobridge_providers.testing.contract.stt import check_stt
from exobridge_providers.testing.contract.tts import check_tts
from exobridge_providers.testing.contract.vad import check_vad

__all__ = ["check_dialogue", "check_realtime", "check_stt", "check_tts", "check_vad"]
