"""Faults in which way a call goes."""

from __future__ import annotations

from tests.mutations.mutation import Module, Mutation

_RULES = Module(
    "bridge/exobridge/routing/rules.py",
    ("tests/routing/test_rules.py",),
    (
        Mutation(
            '"error" if template.refusal.mode == "error" else "b"',
            '"b"',
            "a refused call never takes a Passthru's error path",
        ),
        Mutation(
            "(facts.caller or HIDDEN) in when.caller",
            "facts.caller in when.caller",
            "a rule for hidden callers never holds",
        ),
        Mutation(
            "any(facts.caller in template.lists[n]",
            "all(facts.caller in template.lists[n]",
            "of two lists a caller must be on both",
        ),
        Mutation("any(is_from(", "all(is_from(", "a caller must be from two states at once"),
        Mutation(
            '"open" if facts.is_open else "closed"',
            '"closed" if facts.is_open else "open"',
            "at night the bot answers as by day",
        ),
        Mutation(
            "if keys == ANY_KEYS:\n        return bool(digits)",
            "if keys == ANY_KEYS:\n        return True",
            "who pressed nothing goes the way of those who did",
        ),
        Mutation(
            '(key == "x" and pressed.isdecimal())',
            'key == "x"',
            "a hash is taken for a digit of an order's number",
        ),
        Mutation(
            "if rule.when.asks and answer is None:",
            "if False:",
            "a rule about what the look-up answered decides without it",
        ),
        Mutation(
            "if answer is None or _answers(rule.when, answer):",
            "if True:",
            "whatever was answered, the first rule that asks decides",
        ),
        Mutation(
            "return all(answer.values.get(name)",
            "return any(answer.values.get(name)",
            "one value of several is enough",
        ),
        Mutation(
            "Route(variables=answer.variables if answer else {})",
            "Route()",
            "where no rule decides the dialogue does not know what was answered",
        ),
        Mutation(
            "if answer is None or not rule.when.asks:",
            "if answer is None:",
            "the look-up overrules a rule that did not ask it",
        ),
        Mutation(
            'branch="b", body="", refuse="")',
            'branch="b", refuse="")',
            "branch B has an applet in its body",
        ),
        Mutation(
            'branch="b", body="", refuse="")',
            'branch="b", body="")',
            "a caller for branch B is refused",
        ),
        Mutation(
            'route = replace(route, branch="a")',
            "pass",
            "a look-up that answers branch A is not heeded",
        ),
        Mutation(
            '"template": answer.template not in templates,',
            '"template": False,',
            "an answer names a template whose providers do not run",
        ),
        Mutation(
            '"language": answer.language not in languages,',
            '"language": False,',
            "an answer names a language that no provider knows",
        ),
        Mutation(
            'languages = {"", template.language, ',
            'languages = {"", ',
            "an answer cannot name the template's own language",
        ),
        Mutation(
            'if route.rule in facts.asked_rules else "b", body="")',
            'if route.rule in facts.asked_rules else "b")',
            "an applet that asks yes or no is told where to go",
        ),
        Mutation(
            'if route.refuse and facts.endpoint == "passthru":',
            "if False:",
            "a Passthru sends a caller on who is refused",
        ),
        Mutation(
            'if facts.endpoint == "greeting" else facts',
            "if False else facts",
            "a Greeting reads a number out as an amount",
        ),
        Mutation(
            "{**answer.variables, **then.variables}",
            "{**then.variables, **answer.variables}",
            "what is answered overrules the rule's own variables",
        ),
        Mutation(
            "        **template.variables,\n        **answer.values,\n",
            "        **answer.values,\n        **template.variables,\n",
            "a constant of the template stands before what was answered",
        ),
    ),
)

_ANSWER = Module(
    "bridge/exobridge/routing/answer.py",
    ("tests/routing/test_answer.py",),
    (
        Mutation("if len(body) > MAX_BYTES:", "if False:", "an answer of any length is read"),
        Mutation("if not body.strip():", "if not body:", "a blank line is a failed look-up"),
        Mutation(
            ", UnicodeDecodeError, RecursionError):",
            ", UnicodeDecodeError):",
            "an answer that is deep ends in an error of ours",
        ),
        Mutation('.get("branch")).strip().lower()', '.get("branch")).strip()', "B is no branch"),
        Mutation(
            'raise BadAnswerError(\'branch is neither "a" nor "b"\')',
            "return None",
            "a branch that was mistyped is none, without a word",
        ),
        Mutation(' or _text(given.get("text"))', "", "text is not said"),
        Mutation("[:MAX_SAY]", "", "a caller listens to a book"),
        Mutation("[:MAX_VALUE]", "", "a value of any length is kept with the call"),
        Mutation("[:MAX_VARIABLES]", "", "any number of variables is kept with the call"),
        Mutation(
            '**_values(given.get("variables")), **_values(given, without=_OWN)}',
            '**_values(given, without=_OWN), **_values(given.get("variables"))}',
            "an inner value overrules the outer one",
        ),
        Mutation(", without=_OWN)", ")", "branch and language become variables"),
        Mutation(
            " if is_variable_name(name)}",
            "}",
            "an answer replaces the caller's number in texts",
        ),
        Mutation("isinstance(name, str) and name", "name", "a function's odd key ends the request"),
        Mutation(
            "if isinstance(value, bool):",
            "if False:",
            "true is True, which no rule compares with",
        ),
        Mutation(
            "value.bit_length() > 128",
            "value.bit_length() > 100_000",
            "a number of hundreds of digits is said",
        ),
        Mutation('.replace("\\0", "")', "", "a NUL keeps the call out of the database"),
        Mutation(
            '.encode(errors="ignore").decode()',
            "",
            "half a character keeps the call out of the database",
        ),
    ),
)

MODULES = (_RULES, _ANSWER)
