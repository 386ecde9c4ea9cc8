"""Faults in how Exotel's API is asked, and how its answers are read."""

from __future__ import annotations

from tests.mutations.mutation import Module, Mutation

_RETRY = Module(
    "bridge/exobridge/exotel/api/retry.py",
    ("tests/exotel/test_api_retry.py",),
    (
        Mutation(
            "min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (tries - 1))",
            "FIRST_PAUSE * 2.0 ** (tries - 1)",
            "a pause without end",
        ),
        Mutation("2.0 ** (tries - 1)", "2.0 ** 0", "who does not answer is asked ever as often"),
        Mutation("(0.5 + chance / 2)", "1.0", "all who failed at once come back at once"),
        Mutation(
            "min(float(value), longest)",
            "float(value)",
            "one header holds every request back for a day",
        ),
        Mutation(
            "min(max(0.0, seconds), longest)",
            "max(0.0, seconds)",
            "one date holds every request back for a day",
        ),
        Mutation("min(max(0.0, seconds),", "min(seconds,", "a date that has passed is no wait"),
        Mutation(
            "(at if at.tzinfo else at.replace(tzinfo=UTC))",
            "at",
            "a date without a zone is not heeded",
        ),
        Mutation(
            "max(self._until, now + seconds)",
            "now + seconds",
            "a shorter wish lets everybody through early",
        ),
        Mutation("(url, sid), Gate()", '(url, ""), Gate()', "one account holds back another"),
        Mutation(
            "CHANGE = RequestKind(seconds=40.0, tries=1,",
            "CHANGE = RequestKind(seconds=40.0, tries=2,",
            "a call is placed twice",
        ),
    ),
)

_ANSWER = Module(
    "bridge/exobridge/exotel/api/answer.py",
    ("tests/exotel/test_api_answer.py",),
    (
        Mutation('if "<!DOCTYPE" in text:', "if False:", "an answer's entities are expanded"),
        Mutation(
            "_bounded(depth)\n    if not len(element):",
            "if not len(element):",
            "XML of any depth is read",
        ),
        Mutation(
            "_bounded(depth)\n    if isinstance(value, dict):",
            "if isinstance(value, dict):",
            "JSON of any depth is read",
        ),
        Mutation(
            "members.setdefault(_plain(name), _folded(inner, depth + 1))",
            "members[_plain(name)] = _folded(inner, depth + 1)",
            "of two Sids the last counts",
        ),
        Mutation("found.setdefault(name, number)", "found[name] = number", "the last count counts"),
        Mutation('"utf-8-sig"', '"utf-8"', "an answer with a byte order mark is none"),
        Mutation('child.tag.rpartition("}")[2]', "child.tag", "XML with a namespace is empty"),
        Mutation("[before, value]", "value", "of two legs the last counts"),
        Mutation("entry.node(each) if each in entry else entry", "entry", "no leg is found"),
        Mutation("[:MAX_TEXT]", "", "a text of any length is kept"),
        Mutation('value.replace("\\0", "")', "value", "a NUL keeps a call out of the database"),
        Mutation(
            '"" if text.lower() == "null" else text',
            "text",
            "a recording's URL is null, and is fetched",
        ),
    ),
)

MODULES = (_RETRY, _ANSWER)
