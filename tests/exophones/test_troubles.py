"""What is wrong with a number, by what is known of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from exobridge.exophones import OwnNumber
from exobridge.exophones.troubles import QUIET, troubles_of
from exobridge.store.visits import Visit
from exobridge.templates import Template
from tests.exophones.having import NOW, ONE

FLOW = "http://my.exotel.com/acme1/exoml/start_voice/"
TEMPLATES = {
    "shop": Template.model_validate({"telephony_config": {"applet_app_id": "4711"}}),
    "plain": Template(),
}


def visit(endpoint: str = "/exotel/answer", status: int = 200, days: float = 0) -> Visit:
    """A URL that was asked so many days ago."""
    return Visit(endpoint, ONE, NOW - timedelta(days=days), status, 3)


FINE = OwnNumber(ONE, "shop", flow_url=f"{FLOW}4711", in_account=True, visits=(visit(),))


def found(**changes: Any) -> list[tuple[str, str]]:
    """Of a number that is fine but for these."""
    return [
        (each.about, each.level) for each in troubles_of(replace(FINE, **changes), TEMPLATES, NOW)
    ]


def test_of_a_number_that_is_set_up_right_nothing_is_told() -> None:
    """Nor of one whose template names no flow."""
    assert found() == []
    assert found(template="plain", flow_url=f"{FLOW}12") == []


@pytest.mark.parametrize(
    ("changes", "troubles"),
    [
        ({"template": "gone"}, [("template", "error")]),
        ({"template": None, "flow_url": "", "visits": ()}, [("template", "info")]),
        ({"in_account": False}, [("account", "warning")]),
        ({"in_account": None, "flow_url": ""}, []),
        ({"flow_url": ""}, [("flow", "warning")]),
        ({"flow_url": "https://bot.example.com/"}, [("flow", "info")]),
        ({"flow_url": f"{FLOW}12"}, [("flow", "info")]),
        ({"applet_app_id": "12"}, [("flow", "info")]),
        ({"applet_app_id": "12", "flow_url": f"{FLOW}12"}, []),
        ({"visits": ()}, [("visits", "warning")]),
        ({"visits": (visit(status=403),)}, [("visits", "error")]),
        ({"visits": (visit(status=400),)}, [("visits", "error")]),
        ({"visits": (visit(status=503),)}, [("visits", "warning")]),
        ({"visits": (visit(status=302),)}, []),
        ({"visits": (visit("/exotel/callback/status"),)}, [("visits", "warning")]),
        ({"visits": (visit("/exotel/stream", 101),)}, []),
        ({"visits": (visit(days=QUIET.days),)}, []),
        ({"visits": (visit(days=QUIET.days + 1),)}, [("visits", "info")]),
        ({"visits": (visit(days=9), visit("/exotel/stream", 101))}, []),
    ],
)
def test_each_trouble_is_told(changes: dict[str, Any], troubles: list[tuple[str, str]]) -> None:
    """By what it is about and how bad it is."""
    assert found(**changes) == troubles
