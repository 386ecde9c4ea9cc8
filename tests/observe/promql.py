"""Reads PromQL as far as the board and the alerts use it, and raises on what it cannot read.

The grammar is that of Prometheus' documentation: selectors with matchers, ranges and offsets,
functions, aggregations with ``by``, operators with vector matching.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

AGGREGATIONS = {"sum", "min", "max", "avg", "count", "topk"}
FUNCTIONS = {"rate", "increase", "histogram_quantile", "absent", "time", "changes", "label_values"}
OPERATORS = {"+", "-", "*", "/", ">", "<", "==", "!=", ">=", "<=", "and", "or", "unless"}

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"[^"]*")
    | (?P<range>\[(?:\d+[smhd]|\$__rate_interval|\$__range)\])
    | (?P<number>\d+(?:\.\d+)?)
    | (?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)
    | (?P<sign>=~|!~|==|!=|>=|<=|[-+*/<>=(){},]))""",
    re.VERBOSE,
)


class PromQLError(Exception):
    """It is no PromQL that this reads."""


@dataclass(frozen=True, slots=True)
class Use:
    """One selector, and what is done with it.

    Attributes:
        matchers: Names of the labels it is chosen by.
        ranged: Whether it has a range.
        inside: The functions around it, the innermost first.
        by: The labels that each aggregation around it keeps.
    """

    name: str
    matchers: frozenset[str] = frozenset()
    ranged: bool = False
    inside: tuple[str, ...] = ()
    by: tuple[frozenset[str], ...] = field(default=())


def uses(expression: str) -> list[Use]:
    """Every selector of an expression.

    Raises:
        PromQLError: It cannot be read.
    """
    reader = _Reader(expression)
    found = reader.expression()
    if reader.peek() is not None:
        raise PromQLError(f"{reader.peek()!r} is too much in {expression}")
    return found


class _Reader:
    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._tokens = _tokens(expression)
        self._at = 0

    def peek(self) -> str | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def take(self, *wanted: str) -> str:
        token = self.peek()
        if token is None or (wanted and token not in wanted):
            raise PromQLError(f"{token!r}, not {wanted}, in {self._expression}")
        self._at += 1
        return token

    def expression(self) -> list[Use]:
        found = self.operand()
        while self.peek() in OPERATORS:
            self.take()
            if self.peek() in ("on", "ignoring"):
                self.take()
                self.labels()
                if self.peek() in ("group_left", "group_right"):
                    self.take()
                    self.labels()
            found += self.operand()
        return found

    def operand(self) -> list[Use]:
        token = self.take()
        if token == "(":
            found = self.expression()
            self.take(")")
            return found
        if token[0].isdigit() or token[0] == '"':
            return []
        if token in AGGREGATIONS:
            return self.aggregation()
        if token in FUNCTIONS and self.peek() == "(":
            return [replace(use, inside=(*use.inside, token)) for use in self.arguments()]
        if not re.fullmatch(r"[a-zA-Z_:]\w*", token) or self.peek() == "(":
            raise PromQLError(f"{token!r} is no metric and no function, in {self._expression}")
        return [self.selector(token)]

    def aggregation(self) -> list[Use]:
        kept: frozenset[str] = frozenset()
        if self.peek() == "by":
            self.take()
            kept = self.labels()
        return [replace(use, by=(*use.by, kept)) for use in self.arguments()]

    def arguments(self) -> list[Use]:
        self.take("(")
        found: list[Use] = []
        while self.peek() != ")":
            found += self.expression()
            if self.peek() != ")":
                self.take(",")
        self.take(")")
        return found

    def selector(self, name: str) -> Use:
        matchers: set[str] = set()
        if self.peek() == "{":
            self.take()
            while self.peek() != "}":
                matchers.add(self.take())
                self.take("=", "!=", "=~", "!~")
                if not self.take().startswith('"'):
                    raise PromQLError(f"a matcher without a text in {self._expression}")
                if self.peek() != "}":
                    self.take(",")
            self.take("}")
        ranged = (self.peek() or "").startswith("[")
        if ranged:
            self.take()
        return Use(name, frozenset(matchers), ranged)

    def labels(self) -> frozenset[str]:
        self.take("(")
        found: set[str] = set()
        while self.peek() != ")":
            found.add(self.take())
            if self.peek() != ")":
                self.take(",")
        self.take(")")
        return frozenset(found)


def _tokens(expression: str) -> list[str]:
    found: list[str] = []
    at = 0
    while at < len(expression.rstrip()):
        token = _TOKEN.match(expression, at)
        if token is None:
            raise PromQLError(f"{expression[at : at + 20]!r} cannot be read, in {expression}")
        found.append(token[0].strip())
        at = token.end()
    return found
