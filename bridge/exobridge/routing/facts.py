"""What rules and look-ups know of a call when they are asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

VERSION = 1
"""Of what a look-up is sent. A key may be added; one that is taken away or changed raises this."""


@dataclass(frozen=True, slots=True)
class Facts:
    """One question about one call.

    Attributes:
        caller: The human's number in E.164, or empty; ``called`` the ExoPhone.
        digits: Keys gathered before, without quotes.
        dial_status: How the last attempt to reach somebody went.
        endpoint: Who asks: ``answer``, ``passthru`` or ``greeting``.
        is_open: By the opening hours of the template.
        asked_rules: Rules that the applet's own URL asks about (``?rule=vip``).
    """

    call_sid: str
    caller: str = ""
    called: str = ""
    direction: str = "incoming"
    custom_field: str = ""
    digits: str = ""
    dial_status: str = ""
    endpoint: str = "passthru"
    is_open: bool = True
    asked_rules: tuple[str, ...] = ()

    def message(self) -> dict[str, Any]:
        """What a look-up is told, as JSON."""
        return {
            "version": VERSION,
            "event": "lookup",
            "call": {
                "sid": self.call_sid,
                "caller": self.caller,
                "called": self.called,
                "direction": self.direction,
                "custom_field": self.custom_field,
            },
            "digits": self.digits,
            "dial_status": self.dial_status,
        }

    def query(self) -> dict[str, str]:
        """The same for the query of a GET."""
        return {
            "call_sid": self.call_sid,
            "caller": self.caller,
            "called": self.called,
            "direction": self.direction,
            "custom_field": self.custom_field,
            "digits": self.digits,
            "dial_status": self.dial_status,
        }
