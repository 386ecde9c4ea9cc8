"""Which way a call goes: the rules of its template, and those who are asked about the caller."""

from __future__ import annotations

from exobridge.routing.applications import Applications
from exobridge.routing.faults import Fault
from exobridge.routing.route import LOOKUP_FAILED, Branch, Route
from exobridge.routing.service import Routing

__all__ = ["LOOKUP_FAILED", "Applications", "Branch", "Fault", "Route", "Routing"]
