"""``exobridge doctor``: will a call be answered well by this installation?

Each check looks at one thing and says what it found and how to mend it, as a
:class:`~exobridge.doctor.finding.Finding`. Checks change nothing, take no call's place and leave no
fact behind.
"""

from __future__ import annotations

from exobridge.doctor.case import Scope
from exobridge.doctor.catalogue import GROUPS, TITLES
from exobridge.doctor.finding import Finding, Level, report, worst
from exobridge.doctor.runner import examine

__all__ = [
    "GROUPS",
    "TITLES",
    "Finding",
    "Level",
    "Scope",
    "examine",
    "report",
    "worst",
]
