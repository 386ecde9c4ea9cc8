"""What the plugins of speech vendors stand on.

A plugin is a *protocol* (:class:`SttProtocol`, :class:`TtsProtocol`: pure; the vendor's messages to
events and back) and a provider of a few lines (:class:`VendorStt`, :class:`VendorTts`). The rest is
the same for every vendor and is here: the socket, the buffer that never makes a call wait,
keepalive, exactly one answer to each ``finalize()``, utterances in their order, cancelling, errors
without keys.

Vendors whose voices are asked over HTTP have :mod:`~exobridge_providers.vendor.http_tts`; it is not
imported here, for it takes longer to load.
"""

from __future__ import annotations

from exobridge_providers.vendor.errors import refused, trouble_of_status
from exobridge_providers.vendor.languages import vendor_code
from exobridge_providers.vendor.link import Address, Message
from exobridge_providers.vendor.options import VendorOptions, VendorSttOptions, VendorTtsOptions
from exobridge_providers.vendor.stt import VendorStt
from exobridge_providers.vendor.stt_protocol import SttProtocol
from exobridge_providers.vendor.tts import VendorTts
from exobridge_providers.vendor.tts_protocol import Cleared, TtsProtocol

__all__ = [
    "Address",
    "Cleared",
    "Message",
    "SttProtocol",
    "TtsProtocol",
    "VendorOptions",
    "VendorStt",
    "VendorSttOptions",
    "VendorTts",
    "VendorTtsOptions",
    "refused",
    "trouble_of_status",
    "vendor_code",
]
