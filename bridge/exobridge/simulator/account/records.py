"""What the account keeps of a call: its details, and its recording."""

from __future__ import annotations

from dataclasses import dataclass, field

from exobridge.simulator.account.answers import Page
from exobridge.simulator.account.silence import silent_mp3


@dataclass(slots=True)
class Recording:
    """A recording of a call.

    Attributes:
        ready_at: Before this moment of the account's clock it is answered 404.
        unready: After it, so many requests are answered 404 first.
        refused: So many of those that follow are answered 401, whatever they hold.
        body, content_type: What it is; HTML for a page of errors.
        etag: Changes when the file does.
        ranges: Whether a part can be asked for.
        cut_at: The connection breaks off after so many bytes of each answer, while ``cuts`` last.
        pause_seconds: Between pieces of 4096 bytes.
        endless: The body is sent again and again, without a length.
        presigned_uses: So often a presigned URL works; then it has expired (403).
        fetched: How often its last byte was sent.
    """

    body: bytes = field(default_factory=lambda: silent_mp3(2.16), repr=False)
    content_type: str = "audio/mpeg"
    ready_at: float = 0.0
    unready: int = 0
    refused: int = 0
    etag: str = '"one"'
    ranges: bool = True
    cut_at: int | None = None
    cuts: int = 1
    pause_seconds: float = 0.0
    endless: bool = False
    presigned_uses: int = 1_000_000
    fetched: int = 0

    def is_ready(self, now: float) -> bool:
        """Whether the file is there at this moment of the account's clock. Counts the question."""
        if now < self.ready_at:
            return False
        if self.unready > 0:
            self.unready -= 1
            return False
        return True


def _went_well() -> Page:
    return details_page(31, [("completed", 42), ("completed", 31)])


@dataclass(slots=True)
class AccountCall:
    """A call that the account knows. As it is by default, an incoming one that went well.

    Attributes:
        fields: Laid over those of an incoming call that went well.
        details: Of ``Details``; ``None``: the answer has none.
        settles_at: Before this moment of the account's clock a call is told whose end, duration and
            price are not known yet.
        unsettled: After it, so many requests are told the same.
        recording: ``None``: it was not recorded.
        presigned: Whether call details tell a presigned URL.
        channels: Of a recording that is made at its end.
    """

    fields: Page = field(default_factory=dict[str, object])
    details: Page | None = field(default_factory=_went_well)
    settles_at: float = 0.0
    unsettled: int = 0
    recording: Recording | None = None
    presigned: bool = False
    channels: int = 1


def details_page(conversation_seconds: int, legs: list[tuple[str, int]]) -> Page:
    """``Details`` of a call.

    Args:
        conversation_seconds: Both legs together on the line.
        legs: Status and seconds on the call of each, the caller's first.
    """
    statuses = [status for status, _ in legs] + ["", ""]
    return {
        "ConversationDuration": conversation_seconds,
        "Leg1Status": statuses[0],
        "Leg2Status": statuses[1],
        "Legs": [
            {"Leg": {"Id": at, "OnCallDuration": seconds}}
            for at, (_, seconds) in enumerate(legs, 1)
        ],
    }
