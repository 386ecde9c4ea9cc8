"""What the facts of calls do not tell: plain numbers of this process, read when asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import fields

from exobridge.exotel.stream import Counters
from exobridge.provider_names import listed
from exobridge.templates.models import Template
from exobridge_providers.errors import ProviderError


class Meters:
    """The numbers.

    Attributes:
        barge_ins: Times a caller cut the bot short.
        provider_errors: Failures in calls, by kind, the provider's name in the template, and
            whether trying again may help; those too after which another went on.
    """

    def __init__(self) -> None:
        self.barge_ins = 0
        self.provider_errors: Counter[tuple[str, str, bool]] = Counter()
        self._open: dict[int, Counters] = {}
        self._closed = Counters()

    def provider_failed(self, template: Template, stage: str, error: ProviderError) -> None:
        """A provider failed in a call, which cannot go on.

        Args:
            stage: ``stt``, ``tts``, ``dialogue``, ``vad`` or ``realtime``.
        """
        # A plugin may put any name into its error, and labels must stay few.
        table = getattr(template, "dialogue" if stage == "realtime" else stage)
        names = listed(table.provider)
        name = error.provider if error.provider in names else names[0]
        self.provider_errors[stage, name, error.retryable] += 1

    def session_lost(self, stage: str, provider: str, error: ProviderError) -> None:
        """A provider failed in a call, and another session is tried.

        Args:
            provider: Its name in the template.
        """
        self.provider_errors[stage, provider, error.retryable] += 1

    # -------------------------------------------------------------- frames

    def stream_opened(self, counters: Counters) -> None:
        """A stream's counters are to be read while it runs."""
        self._open[id(counters)] = counters

    def stream_closed(self, counters: Counters) -> None:
        """It is over, and will count no more."""
        if self._open.pop(id(counters), None) is not None:
            self._closed = _sum([self._closed, counters])

    def frames(self) -> Counters:
        """Of all streams so far, the open ones included."""
        return _sum([self._closed, *self._open.values()])


def _sum(all_counters: Iterable[Counters]) -> Counters:
    counted = list(all_counters)
    names = [field.name for field in fields(Counters)]
    return Counters(**{name: sum(getattr(each, name) for each in counted) for name in names})
