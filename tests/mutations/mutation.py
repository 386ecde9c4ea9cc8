"""A fault, and the tests that have to notice it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutation:
    """One fault.

    Attributes:
        old: Text that stands in the module exactly once.
        new: What takes its place.
        harm: What the fault would do.
    """

    old: str
    new: str
    harm: str


@dataclass(frozen=True, slots=True)
class Module:
    """One module's faults.

    Attributes:
        path: From the project's root.
        tests: Paths or ids for pytest; they run without the faults first, and have to pass.
    """

    path: str
    tests: tuple[str, ...]
    mutations: tuple[Mutation, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One mutation of one module."""

    module: Module
    mutation: Mutation

    @property
    def title(self) -> str:
        """One line for people: where, and what it would do."""
        return f"{self.module.path}: {self.mutation.harm}"


class MutationError(Exception):
    """The run means nothing: a mutation does not apply any more, or tests fail without any."""


def mutated(source: str, case: Case) -> str:
    """The module's text with the fault in it.

    Raises:
        MutationError: The old text does not stand there exactly once, or nothing would change.
    """
    mutation = case.mutation
    found = source.count(mutation.old)
    if found != 1:
        raise MutationError(f"{case.title}: found {found} times, not once: {mutation.old!r}")
    if mutation.new == mutation.old:
        raise MutationError(f"{case.title}: changes nothing")
    return source.replace(mutation.old, mutation.new)
