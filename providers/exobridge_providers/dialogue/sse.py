"""Lines and server-sent events out of bytes, however the bytes were cut. No I/O."""

from __future__ import annotations

from exobridge_providers.errors import ProviderProtocolError

MAX_LINE_BYTES = 256 * 1024


class Lines:
    """Cuts bytes into lines, which end with ``\\n``, ``\\r\\n`` or ``\\r``.

    Args:
        max_bytes: Longest line.
        provider: Name for errors.
    """

    def __init__(self, provider: str, max_bytes: int = MAX_LINE_BYTES) -> None:
        self._provider = provider
        self._max_bytes = max_bytes
        self._rest: list[bytes] = []
        self._held = 0
        self._after_return = False

    def feed(self, data: bytes) -> list[str]:
        """The lines that are whole now.

        Raises:
            ProviderProtocolError: A line is too long, or no UTF-8.
        """
        if self._after_return and data:  # it may have been half of a \r\n
            self._after_return = False
            data = data.removeprefix(b"\n")
        *ended, rest = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._after_return |= data.endswith(b"\r")
        lines = [self._whole(line) for line in ended]
        self._hold(rest)
        return lines

    def flush(self) -> str:
        """What is left when the bytes have ended; empty if nothing is."""
        return self._whole(b"")

    def _whole(self, last: bytes) -> str:
        self._hold(last)
        line = b"".join(self._rest)
        self._rest.clear()
        self._held = 0
        try:
            return line.decode()
        except UnicodeDecodeError as error:
            raise ProviderProtocolError(
                "the answer is not UTF-8", provider=self._provider
            ) from error

    def _hold(self, part: bytes) -> None:
        self._held += len(part)
        if self._held > self._max_bytes:
            raise ProviderProtocolError(
                f"a line of the answer is longer than {self._max_bytes} bytes",
                provider=self._provider,
            )
        if part:
            self._rest.append(part)


class Events:
    """The data of server-sent events; comments, names and ids are passed over.

    After https://html.spec.whatwg.org/multipage/server-sent-events.html: an event is what stands
    before an empty line, its data is the lines of its ``data`` fields.
    """

    def __init__(self, provider: str, max_bytes: int = MAX_LINE_BYTES) -> None:
        self._lines = Lines(provider, max_bytes)
        self._data: list[str] = []
        self._held = 0
        self._provider = provider
        self._max_bytes = max_bytes

    def feed(self, data: bytes) -> list[str]:
        """The data of the events that are whole now; raises as :meth:`Lines.feed`."""
        events: list[str] = []
        for line in self._lines.feed(data):
            if line:
                self._field(line)
            elif self._data:
                events.append("\n".join(self._data))
                self._data.clear()
                self._held = 0
        return events

    def _field(self, line: str) -> None:
        name, _, value = line.partition(":")
        if name != "data":
            return
        self._data.append(value.removeprefix(" "))
        self._held += len(value) + 1
        if self._held > self._max_bytes:
            raise ProviderProtocolError(
                f"an event of the answer is longer than {self._max_bytes} characters",
                provider=self._provider,
            )
