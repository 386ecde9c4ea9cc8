"""Texts with variables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.templates import (
    TextError,
    call_variables,
    render,
)


def test_variables_are_filled_in() -> None:
    """Names in braces become values, doubled braces become braces."""
    variables = {"caller": "Asha", "param.plan": "gold"}
    assert render("Hi {caller}, {param.plan}!", variables) == "Hi Asha, gold!"
    assert render("{{caller}} {{{caller}}}", variables) == "{caller} {Asha}"
    assert render("No variable.", variables) == "No variable."


def test_a_variable_without_a_value_is_spoken_as_nothing() -> None:
    """A call without a custom field hears a shorter sentence, not a pair of braces."""
    assert render("Hello {custom_field}.", {}) == "Hello ."


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "}",
        "a { b",
        "{a",
        "a}",
        "{}",
        "{a.b}",
        "{a[0]}",
        "{a!r}",
        "{a:>9}",
        "{A}",
        "{ a }",
        "{param.}",
        "{a.__class__}",
        "{a}}",
        "{0}",
    ],
)
def test_only_a_name_may_stand_between_braces(text: str) -> None:
    """No attribute, index, conversion or format can be reached from a text."""
    with pytest.raises(TextError):
        render(text, {"a": "x"})


@given(st.text())
def test_a_value_is_put_in_as_it_is(value: str) -> None:
    """What a caller or a URL brings in is never read again as a text with variables."""
    assert render("<{caller}>", {"caller": value, "secret": "s"}) == f"<{value}>"


@given(st.text(alphabet="ab.{}_ ", max_size=20))
def test_any_text_renders_or_is_refused(text: str) -> None:
    """No text raises anything but the one error, and no single brace survives rendering."""
    try:
        spoken = render(text, {})
    except TextError:
        return
    assert spoken.count("{") == text.count("{{")
    assert spoken.count("}") == text.count("}}")


def test_a_custom_parameter_replaces_neither_a_constant_nor_the_caller() -> None:
    """Parameters come from a URL: they are kept apart from what the template and Exotel say."""
    parameters = {"company": "Evil", "caller": "+910000000000", "plan": "gold"}
    variables = call_variables(
        {"company": "Acme"}, caller="+918047112233", parameters=parameters, call_sid="C1"
    )
    assert variables["company"] == "Acme"
    assert variables["caller"] == "+918047112233"
    assert variables["param.company"] == "Evil"
    assert variables["plan"] == variables["param.plan"] == "gold"
    assert (variables["call_sid"], variables["called"], variables["custom_field"]) == ("C1", "", "")
