"""Orders as they reach a call by way of the database."""

from __future__ import annotations

from typing import Any

import pytest

from exobridge.call.orders import HandOver, HangUp, Order, SayLine, kind_of, order_data, read_order

ORDERS: tuple[tuple[str, Order], ...] = (
    ("say", SayLine("Hello.", interrupt=True)),
    ("transfer", HandOver("sales", "a refund", "")),
    ("transfer", HandOver()),
    ("hangup", HangUp("Bye.")),
    ("hangup", HangUp()),
)


@pytest.mark.parametrize(("kind", "order"), ORDERS)
def test_an_order_arrives_as_it_was_given(kind: str, order: Order) -> None:
    """Its words show in no ``repr``."""
    assert kind_of(order) == kind
    assert read_order(kind, order_data(order)) == order
    for word in ("Hello.", "sales", "a refund", "Bye."):
        assert word not in repr(order)


@pytest.mark.parametrize(
    ("kind", "data"), [("dance", {}), ("say", {}), ("hangup", {"text": None, "loud": True})]
)
def test_what_another_version_gave_is_no_order(kind: str, data: dict[str, Any]) -> None:
    """It is refused as a whole."""
    with pytest.raises(ValueError, match=kind):
        read_order(kind, data)
