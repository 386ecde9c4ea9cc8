"""A call's wire in a file: what was asked and answered, every frame with its time, the end.

``records`` is the format, ``masking`` takes out what must not be passed on, ``folder`` and
``recorder`` write, ``reading`` reads. Both sides of a call can keep one: the server, and the
simulator.
"""

from exobridge.wire.reading import Recording, Stream, WireError, read_wire
from exobridge.wire.recorder import StreamTap, WireRecorder, wire_recorder
from exobridge.wire.records import Closed, Frame, Header, Side, Webhook

__all__ = [
    "Closed",
    "Frame",
    "Header",
    "Recording",
    "Side",
    "Stream",
    "StreamTap",
    "Webhook",
    "WireError",
    "WireRecorder",
    "read_wire",
    "wire_recorder",
]
