"""The attempts of a Connect applet to reach somebody, and how they are told. Pure.

Source: Exotel's document of the Passthru applet, ``Legs``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

AttemptStatus = Literal["completed", "busy", "no-answer", "failed", "canceled"]

CAUSES: dict[AttemptStatus, tuple[str, int]] = {
    "completed": ("NORMAL_CLEARING", 16),
    "busy": ("USER_BUSY", 17),
    "no-answer": ("NO_ANSWER", 19),
    "failed": ("NORMAL_TEMPORARY_FAILURE", 41),
    "canceled": ("ORIGINATOR_CANCEL", 487),
}
"""``CauseCode`` and ``Cause`` by how an attempt ended. Exotel documents the first alone; the others
are the names and numbers of ITU-T Q.850 and of telephone switches."""
REJECTED = ("CALL_REJECTED", 21)
"""The cause where an agent rejects the call."""


def national(number: str) -> str:
    """An Indian number with a leading 0, as Exotel often writes them; others as they are."""
    return f"0{number[3:]}" if number.startswith("+91") and len(number) == 13 else number


@dataclass(slots=True)
class Attempt:
    """An attempt of a Connect applet to reach an agent.

    Attributes:
        number: Whom, as it was dialled.
        parallel: Others rang at the same time.
        dialled_at: When.
        over_at: When it was over, the conversation included; ``None``: it is not.
        status: How it ended; empty: it has not.
        seconds: Of conversation.
        cause: ``CauseCode`` and ``Cause``.
    """

    number: str
    parallel: bool
    dialled_at: datetime
    over_at: datetime | None = None
    status: AttemptStatus | Literal[""] = ""
    seconds: float = 0.0
    cause: tuple[str, int] = ("", 0)

    @property
    def talked(self) -> bool:
        """Whether there was a conversation."""
        return self.seconds > 0 or self.status == "completed"


def legs(attempts: Iterable[Attempt]) -> dict[str, str]:
    """``Legs[i][…]``, one entry for each attempt that is over."""
    told: dict[str, str] = {}
    for index, each in enumerate(each for each in attempts if each.status):
        leg = f"Legs[{index}]"
        told |= {
            f"{leg}[Number]": national(each.number),
            f"{leg}[Type]": "parallel" if each.parallel else "single",
            f"{leg}[OnCallDuration]": str(int(each.seconds)),
            f"{leg}[CauseCode]": each.cause[0],
            f"{leg}[Cause]": str(each.cause[1]),
        }
    return told
