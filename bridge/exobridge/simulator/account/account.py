"""An Exotel account: what it holds, what it is asked, and what it answers.

Unrealistic: one address plays the API's host, the recordings' and the storage's; nothing is
charged; recordings are silent.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from urllib.parse import quote

from exobridge.simulator.account import exophones
from exobridge.simulator.account.answers import Form, Page, Refusal
from exobridge.simulator.account.faults import Fault, Faults
from exobridge.simulator.account.placing import PlacedCall
from exobridge.simulator.account.reading import Asked
from exobridge.simulator.account.records import AccountCall, Recording, details_page
from exobridge.simulator.account.signing import Signatures
from exobridge.simulator.account.silence import silent_mp3
from exobridge.simulator.answer import IST
from exobridge.simulator.flows.model import AccountTable, RecordingTable

KEY, TOKEN, SID = "key-of-the-account", "token-of-the-account", "acme1"
SETTLE_SECONDS = 120.0
"""How long after a call its end, duration and price are known; documented as about two minutes."""
CALLS_PER_MINUTE = 200
PRESIGNED_SECONDS = 300.0
MAX_ASKED = 5000
"""Requests that are remembered; then the older half is forgotten."""
MAX_CALLS = 10_000
"""Calls that are known; then the oldest is forgotten."""
_PRICE_OF_MINUTE = 0.4
_RECORDING_SECONDS = 3600.0
"""Longest recording that is made up."""


class Account:
    """The account. :func:`~exobridge.simulator.account.serve_account` lets it be asked; what it
    holds may be changed at any time.

    Attributes:
        url: Where it is asked.
        calls: By CallSid.
        exophones: As the list shows them.
        page_size: ExoPhones in one page.
        pages: Whether another page than the first can be asked for.
        active, limit: Streams: open now, and the most there may be.
        form: How answers are written.
        asked: The latest requests, in order.
        place: Places a call that the API was asked for; it returns at once, and may raise
            :class:`Refusal`. ``None``: the call begins, and nobody ends it but :meth:`end`.
        meets: What a request meets in place of its answer, by what it asks, where none of the
            ``faults`` waits for it.
        connect_seconds: How long a request for a call blocks after the call was placed; up to 30
            have been seen.
        settle_seconds: How long the end of a call takes to settle.
        calls_per_minute: Requests for a call; above, they are answered 429.
    """

    def __init__(
        self,
        url: str = "",
        key: str = KEY,
        token: str = TOKEN,
        sid: str = SID,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(IST),
    ) -> None:
        self.url = url
        self.key, self.token, self.sid = key, token, sid
        self.calls: dict[str, AccountCall] = {}
        self.exophones: list[Page] = []
        self.page_size = 50
        self.pages = True
        self.active, self.limit = 0, 100
        self.form: Form = "auto"
        self.asked: list[Asked] = []
        self.place: Callable[[PlacedCall], None] | None = None
        self.meets: Callable[[Asked], Fault | None] | None = None
        self.connect_seconds = 0.0
        self.settle_seconds = SETTLE_SECONDS
        self.calls_per_minute = CALLS_PER_MINUTE
        self.faults = Faults()
        self._clock, self._wall = clock, wall
        self._connects: deque[float] = deque()
        self._signatures = Signatures(clock)

    @property
    def variables(self) -> dict[str, str]:
        """What a server must be told to use this account."""
        return {
            "EXOTEL_API_KEY": self.key,
            "EXOTEL_API_TOKEN": self.token,
            "EXOTEL_SID": self.sid,
            "EXOTEL_API_URL": self.url,
        }

    def configure(self, table: AccountTable) -> None:
        """Set it up as a flow's ``[account]`` says."""
        self.settle_seconds = table.settle_seconds
        self.connect_seconds = table.connect_seconds
        self.form = table.form
        self.limit = table.streams
        self.calls_per_minute = table.calls_per_minute
        self.add_exophones(*table.exophones)

    def add_exophones(self, *numbers: str) -> None:
        """Give the account these numbers."""
        for number in numbers:
            self.exophones.append(exophones.exophone(len(self.exophones), number))

    def fail(self, *faults: Fault, where: str = "") -> None:
        """The next requests whose path holds ``where`` meet these, one each.

        Args:
            where: In place of each fault's own.
        """
        self.faults.add(*(replace(each, where=where or each.where) for each in faults))

    def count(self, path: str) -> int:
        """How many requests had this in their path."""
        return sum(path in each.path for each in self.asked)

    # -------------------------------------------------------------- what happens on the line

    def begin(
        self,
        call_sid: str,
        *,
        caller: str,
        exophone: str,
        outgoing: bool = False,
        custom_field: str = "",
    ) -> AccountCall:
        """A call begins; call details tell that it is in progress.

        Args:
            caller: The other side: of an outgoing call, whom it is made to.
            exophone: The account's number.
        """
        while len(self.calls) >= MAX_CALLS:
            del self.calls[next(iter(self.calls))]
        call = AccountCall(details=details_page(0, [("in-progress", 0)]))
        call.fields = {
            "Status": "in-progress",
            "From": caller,
            "To": exophone,
            "PhoneNumberSid": exophone,
            "Direction": "outbound-api" if outgoing else "inbound",
            "StartTime": self._now(),
            "EndTime": "",
            "Duration": None,
            "Price": None,
            "CustomField": custom_field,
        }
        self.calls[call_sid] = call
        return call

    def end(
        self,
        call_sid: str,
        *,
        status: str = "completed",
        seconds: float = 0.0,
        conversation_seconds: float = 0.0,
        legs: Sequence[tuple[str, float]] = (),
        recording: RecordingTable | None = None,
    ) -> None:
        """A call has ended; its sums settle later.

        Args:
            status: ``completed``, ``busy``, ``no-answer``, ``failed`` or ``canceled``.
            seconds: From its start.
            conversation_seconds: Both legs together on the line.
            legs: Status and seconds on the call of each, the caller's first; empty: the caller's
                alone.
            recording: How it can be fetched; ``None``: it was not recorded.

        Raises:
            KeyError: There is no such call.
        """
        call, whole = self.calls[call_sid], round(seconds)
        minutes = -(-whole // 60) if status == "completed" else 0
        call.settles_at = self._clock() + self.settle_seconds
        call.fields |= {
            "Status": status,
            "EndTime": self._now(),
            "Duration": str(whole),
            "Price": f"{_PRICE_OF_MINUTE * minutes:.6f}",
        }
        spoken = [(each, round(on_call)) for each, on_call in legs] or [(status, whole)]
        call.details = details_page(round(conversation_seconds), spoken)
        if recording is not None:
            call.presigned = recording.presigned
            call.recording = Recording(
                silent_mp3(min(seconds, _RECORDING_SECONDS), channels=call.channels),
                ready_at=self._clock() + recording.ready_after_seconds,
                unready=recording.not_ready,
                refused=recording.refused,
            )

    @contextmanager
    def streaming(self) -> Generator[bool]:
        """For as long as a stream is open. Whether there was room: without it Exotel opens none,
        and fails it with ``Streaming_call_throttled``."""
        has_room = self.active < self.limit
        self.active += has_room
        try:
            yield has_room
        finally:
            self.active -= has_room

    def _now(self) -> str:
        return self._wall().astimezone(IST).strftime("%Y-%m-%d %H:%M:%S")

    # -------------------------------------------------------------- recordings

    def recording_url(self, call_sid: str) -> str:
        """Where the call's recording is; credentials are needed."""
        return f"{self.url}/exotelrecordings/{self.sid}/{quote(call_sid, safe='')}.mp3"

    def presigned_url(self, call_sid: str) -> str:
        """The same without credentials: the URL that was told last and works, else a new one."""
        mark = self._signatures.latest(call_sid)
        return self._signed(call_sid, mark or self._signatures.new(call_sid, PRESIGNED_SECONDS))

    def sign(self, call_sid: str, seconds: float) -> str:
        """A new presigned URL, that works for so long."""
        return self._signed(call_sid, self._signatures.new(call_sid, seconds))

    def _signed(self, call_sid: str, mark: str) -> str:
        return f"{self.url}/presigned/{quote(call_sid, safe='')}.mp3?X-Amz-Signature={mark}"

    def was_fetched(self, call_sid: str) -> bool:
        """Whether the call's recording was downloaded to its last byte."""
        call = self.calls.get(call_sid)
        return call is not None and call.recording is not None and call.recording.fetched > 0

    def recording_status(self, call_sid: str, asked: Asked, *, presigned: bool) -> int:
        """What a request for a recording is refused with; 0: it is sent.

        Args:
            presigned: It came by a presigned URL, not by the call's own.
        """
        call = self.calls.get(call_sid)
        recording = call.recording if call else None
        if recording is None or not recording.is_ready(self._clock()):
            return 404
        if recording.refused > 0:
            recording.refused -= 1
            return 401
        if not presigned:
            return 0 if self.knows(asked) else 401
        mark = asked.query.get("X-Amz-Signature", "")
        if asked.credentials or not mark:
            return 400  # storage bears one way to prove oneself, not two
        if not self._signatures.works(mark, call_sid):
            return 403
        recording.presigned_uses -= 1
        return 0 if recording.presigned_uses >= 0 else 403

    # -------------------------------------------------------------- what it is asked

    def note(self, asked: Asked) -> None:
        """Remember a request."""
        if len(self.asked) >= MAX_ASKED:
            del self.asked[: MAX_ASKED // 2]
        self.asked.append(asked)

    def knows(self, asked: Asked) -> bool:
        """Whether the right key and token came along."""
        return asked.credentials == f"{self.key}:{self.token}"

    def count_connect(self) -> None:
        """One more call is asked for.

        Raises:
            Refusal: 429, it is one too many in this minute.
        """
        now = self._clock()
        while self._connects and self._connects[0] <= now - 60:
            self._connects.popleft()
        if len(self._connects) >= self.calls_per_minute:
            raise Refusal(429, "Too many calls were asked for in the last minute")
        self._connects.append(now)

    def is_settled(self, call: AccountCall) -> bool:
        """Whether the sums of a call that is over are known. Counts the question."""
        if self._clock() < call.settles_at:
            return False
        if call.unsettled > 0:
            call.unsettled -= 1
            return False
        return True
