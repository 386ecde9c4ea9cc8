"""What can go wrong with a recording.

    RecordingError        any of these
    ├── RefusedError      the rules forbid its address: no use in trying again
    ├── TooLargeError     likewise
    ├── NotReadyError     it is not there yet, or not for us: ask again later
    ├── BrokenError       the network failed too often in the middle of it
    └── StorageError      it cannot be put away, read or deleted
        └── MissingError  there is no such file

No message holds a URL: it may be signed. A host's name may stand there.
"""

from __future__ import annotations

from exobridge.errors import ExobridgeError


class RecordingError(ExobridgeError):
    """Base of the errors of recordings."""


class RefusedError(RecordingError):
    """The rules forbid it."""


class TooLargeError(RecordingError):
    """It is larger than it may be."""


class NotReadyError(RecordingError):
    """It is not there yet, or not for us."""


class BrokenError(RecordingError):
    """The network failed."""


class StorageError(RecordingError):
    """The storage failed."""


class MissingError(StorageError):
    """There is no such file in the storage."""
