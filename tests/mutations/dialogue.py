"""Faults in what a dialogue remembers, asks and understands."""

from __future__ import annotations

from tests.mutations.mutation import Module, Mutation

_FOLDER = "providers/exobridge_providers/dialogue"
_TESTS = "tests/providers/dialogue"

_HISTORY = Module(
    f"{_FOLDER}/history.py",
    (f"{_TESTS}/test_history.py",),
    (
        Mutation(
            "_exchanges(context.history)",
            "_exchanges(())",
            "a dialogue that takes over knows nothing",
        ),
        Mutation(
            "if context.greeting and not self._exchanges:",
            "if context.greeting:",
            "a call that is taken over is greeted again",
        ),
        Mutation("UserTurn(each.text, each.digits)", "UserTurn(each.text)", "keys are forgotten"),
        Mutation("if last.heard:", "if False:", "what was said before is taken back"),
        Mutation(
            "if turn.heard and end is None and heard_until(earlier, turn.heard) is None:",
            "if turn.heard and end is None:",
            "the same is heard twice",
        ),
        Mutation(
            "if not last.worked:",
            "if True:",
            "what a tool did is forgotten, and done again",
        ),
        Mutation("return unheard or not", "return not", "an answer that nobody heard was heard"),
        Mutation(
            "if turn.interrupted or turn.operator or not last.finished:\n"
            "                last.cut(end)",
            "if not last.finished:\n                last.cut(end)",
            "the model believes it was heard to its end",
        ),
        Mutation(" or turn.operator or ", " or ", "what an operator cut was heard to its end"),
        Mutation(
            "if heard_until(last.said, text) is None:",
            "if True:",
            "a turn that is taken back has the operator say everything twice",
        ),
        Mutation(
            "self._max_chars * 3 // 4",
            "self._max_chars",
            "each turn changes how the conversation begins",
        ),
        Mutation(" and len(self._exchanges) > 1:", ":", "the turn itself is forgotten"),
    ),
)

_REQUEST = Module(
    f"{_FOLDER}/openai_request.py",
    (f"{_TESTS}/test_openai_request.py",),
    (
        Mutation(
            'LANGUAGE_NOW.format(language) if language else ""',
            '""',
            "the model goes on in the language of before",
        ),
        Mutation("**context.variables,", "", "the template's own variables are empty"),
        Mutation(
            'if last.get("role") == role and "tool_calls" not in last:',
            "if False:",
            "a side speaks twice in a row, which some models refuse",
        ),
        Mutation("if not may_call:", "if False:", "a model calls tools without end"),
    ),
)

_STREAM = Module(
    f"{_FOLDER}/openai_stream.py",
    (f"{_TESTS}/test_openai_stream.py",),
    (
        Mutation("if chunk.error is not None:", "if False:", "an error is taken for an end"),
        Mutation(
            "(piece.id and piece.id != call.id)",
            "False",
            "of several calls with one index only the first is made",
        ),
        Mutation(
            "self._held.partition(self.END)",
            "self._held.partition(self.BEGIN)",
            "a model's thoughts are spoken",
        ),
        Mutation("return text.lstrip()", "return text", "an answer begins with white space"),
    ),
)

_WEBHOOK = (
    Module(
        f"{_FOLDER}/sse.py",
        (f"{_TESTS}/test_sse.py",),
        (
            Mutation(
                'data = data.removeprefix(b"\\n")',
                "pass",
                "an event whose line ends were cut apart is split",
            ),
            Mutation(
                "self._held += len(value) + 1",
                "self._held = len(value) + 1",
                "an event without end fills the memory",
            ),
        ),
    ),
    Module(
        f"{_FOLDER}/webhook_signature.py",
        (f"{_TESTS}/test_webhook_signature.py",),
        (
            Mutation(
                "[request_id.encode(), str(timestamp).encode(), body]",
                "[request_id.encode(), body]",
                "an old request can be sent again",
            ),
            Mutation(", validate=True", "", "a secret that was copied wrongly is taken"),
        ),
    ),
)

MODULES = (_HISTORY, _REQUEST, _STREAM, *_WEBHOOK)
