"""From verdicts to figures, and whether they are within the limits. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.benchmarks.sums import percentile
from tests.conversations.acts import Kind, Meaning, Sound, Speak
from tests.conversations.catalogue import SCENARIOS
from tests.conversations.scenario import Group, Scenario
from tests.conversations.verdict import Rule, Verdict


@dataclass(frozen=True, slots=True)
class Limit:
    """What a run must keep to.

    Attributes:
        rule: What must not happen.
        share: In how many of the variants it may happen, 0 to 1.
        of: The scenarios that count; in the others it cannot happen, or another limit holds.
    """

    name: str
    rule: Rule
    share: float
    of: frozenset[str]


def _can_be_cut(scenario: Scenario) -> bool:
    """Something in it sounds like an interruption and is none."""
    for act in scenario.acts:
        if isinstance(act, Sound) and act.kind is not Kind.SILENCE:
            return True
        if isinstance(act, Speak) and act.means in (Meaning.BACKCHANNEL, Meaning.ASIDE):
            return True
    return False


def _hesitates(scenario: Scenario) -> bool:
    spoken = [act for act in scenario.acts if isinstance(act, Speak)]
    return any("~" in text for act in spoken for text in act.said)


_ALL = frozenset(SCENARIOS)
_UNKNOWN = frozenset(n for n, s in SCENARIOS.items() if s.group is Group.UNKNOWN)
_CUTTABLE = frozenset(n for n, s in SCENARIOS.items() if _can_be_cut(s))
_HESITATIONS = frozenset(n for n, s in SCENARIOS.items() if _hesitates(s))

LIMITS = (
    Limit("missed interruptions", Rule.MISSED, 0.0, _ALL),
    Limit("false interruptions", Rule.CUT, 0.02, _CUTTABLE),
    Limit("false interruptions by backchannels in no list", Rule.CUT, 0.10, _UNKNOWN),
    Limit("samples lost or repeated", Rule.SAMPLES, 0.0, _ALL),
    Limit("words lost, repeated or out of order", Rule.WORDS, 0.0, _ALL),
    Limit("keys lost or repeated", Rule.KEYS, 0.0, _ALL),
    Limit("turns where there was none", Rule.FALSE_TURN, 0.02, _ALL),
    Limit("answers into a hesitation", Rule.EARLY, 0.05, _HESITATIONS),
    Limit("answers said twice", Rule.TWICE, 0.0, _ALL),
    Limit("tools run for nothing", Rule.TOOLS, 0.0, _ALL),
    Limit("turns not answered", Rule.UNANSWERED, 0.0, _ALL),
    Limit("lines not said", Rule.UNSAID, 0.0, _ALL),
    Limit("calls not heard, or garbled", Rule.GARBLED, 0.0, _ALL),
    Limit("calls that ended wrongly", Rule.ENDED, 0.0, _ALL),
    Limit("crashes", Rule.CRASHED, 0.0, _ALL),
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A limit and what the run came to.

    Attributes:
        broke: The variants in which it happened.
        variants: Those in which it could have.
    """

    limit: Limit
    broke: tuple[Verdict, ...]
    variants: int

    @property
    def share(self) -> float:
        """Of the variants, 0 to 1."""
        return len(self.broke) / self.variants if self.variants else 0.0

    @property
    def holds(self) -> bool:
        """Whether it is within the limit."""
        return self.share <= self.limit.share


def kept(verdicts: Sequence[Verdict]) -> list[Kept]:
    """Every limit that a run could have broken."""
    found: list[Kept] = []
    for limit in LIMITS:
        counted = [each for each in verdicts if each.scenario in limit.of]
        if counted:
            broke = tuple(each for each in counted if each.has(limit.rule))
            found.append(Kept(limit, broke, len(counted)))
    return found


def times(verdicts: Iterable[Verdict], kind: str) -> tuple[float, float]:
    """The 50th and the 95th percentile of one kind of time, in ms; not a number without any.

    Args:
        kind: ``barge_in_ms``, ``answer_ms`` or ``held_ms``.
    """
    found = sorted(ms for verdict in verdicts for ms in getattr(verdict, kind))
    return percentile(found, 0.5), percentile(found, 0.95)


def usual(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Those whose line and providers were as they should be: what times are taken from."""
    return [each for each in verdicts if SCENARIOS[each.scenario].group is not Group.FAULTS]
