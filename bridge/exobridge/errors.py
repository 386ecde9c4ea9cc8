"""What can go wrong in the bridge.

    ExobridgeError      anything exobridge itself reports
    └── ConfigError     a setting or a template cannot be used; carries the cure

No error holds a secret, a caller's words or an unmasked phone number.
"""

from __future__ import annotations

from collections.abc import Sequence


class ExobridgeError(Exception):
    """Base of exobridge's own errors. Those of providers are ``ProviderError``."""


class ConfigError(ExobridgeError):
    """A setting or a template that cannot be used, and what to do about it.

    Args:
        where: The environment variable, or a template's file and dotted key.
        problem: What is wrong, without the value itself: it may be a secret.
        cure: What to do, as a sentence.
        also: Further problems found in the same pass; the message lists them too.
    """

    def __init__(
        self, where: str, problem: str, cure: str, *, also: Sequence[ConfigError] = ()
    ) -> None:
        self.where = where
        self.problem = problem
        self.cure = cure
        self.also = tuple(also)
        line = f"{where}: {problem}. {cure}"
        super().__init__("\n".join([line, *map(str, self.also)]))

    @classmethod
    def of(cls, errors: Sequence[ConfigError]) -> ConfigError:
        """One error that says all of ``errors`` (at least one)."""
        first, *others = (each for error in errors for each in (error, *error.also))
        return cls(first.where, first.problem, first.cure, also=others)
