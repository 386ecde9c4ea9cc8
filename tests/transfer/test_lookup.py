"""What the user's own system answers is read carefully: it comes from outside."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.transfer.lookup import MAX_BYTES, BadAnswerError, read_answer


@pytest.mark.parametrize(
    ("answer", "target"),
    [
        (b"", ""),
        (b" \n", ""),
        (b"{}", ""),
        (b'{"target": ""}', ""),
        (b'{"target": "support", "more": 1}', "support"),
        (b'{"target": ["+919811122233", "+919811122244"]}', "+919811122233,+919811122244"),
        (b'{"target": null}', None),
        (b'{"target": []}', None),
    ],
)
def test_an_answer_names_a_target_nobody_or_nothing(answer: bytes, target: str | None) -> None:
    """``None`` is nobody; empty leaves it to the template."""
    assert read_answer(answer) == target


@pytest.mark.parametrize(
    "answer",
    [
        b"[]",
        b"null",
        b"support",
        b'{"target": 7}',
        b'{"target": [7]}',
        b'{"target": {"numbers": []}}',
        b'{"target": "\\ud800"}',
        b"\xff",
        b"[" * 5000,
        b'{"target": "' + b"9" * MAX_BYTES + b'"}',
    ],
)
def test_an_answer_of_another_form_is_none(answer: bytes) -> None:
    """It is said so, without a word of what it holds."""
    with pytest.raises(BadAnswerError) as caught:
        read_answer(answer)
    assert "999" not in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("target"), inner),
)


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass")))
def test_no_answer_breaks_the_reader(answer: bytes) -> None:
    """It is read or refused."""
    try:
        target = read_answer(answer)
    except BadAnswerError:
        return
    assert target is None or isinstance(target, str)
