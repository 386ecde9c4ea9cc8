"""What a request to the account meets in place of its answer, by script."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Fault:
    """What one request meets in place of its answer.

    Attributes:
        status: With a ``RestException`` of this number.
        code: The ``RestException``'s; ``None``: it has none.
        message: The ``RestException``'s.
        body: In place of the ``RestException``.
        headers: ``Retry-After``, ``Location``.
        how: ``hang``: no answer ever comes; ``reset``: the connection is reset; ``cut``: the answer
            stops half-way.
        after: The request is carried out first, and what is lost is its own answer: a call is
            placed, and whoever asked for it does not learn of it.
        where: Only requests whose path holds this meet it.
    """

    status: int = 500
    code: int | None = None
    message: str = "something went wrong"
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    how: Literal["", "hang", "reset", "cut"] = ""
    after: bool = False
    where: str = ""


class Faults:
    """Those that wait for their request, in order."""

    def __init__(self) -> None:
        self._waiting: deque[Fault] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, *faults: Fault) -> None:
        """Let them wait."""
        self._waiting.extend(faults)

    def take(self, path: str) -> Fault | None:
        """The first that this path meets; it waits no longer."""
        for at, fault in enumerate(self._waiting):
            if fault.where in path:
                del self._waiting[at]
                return fault
        return None
