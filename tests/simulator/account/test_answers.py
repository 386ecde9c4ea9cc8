"""Answers in JSON, in JSON with keys in lower case, and in XML."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree

from exobridge.simulator.account.answers import Page, Refusal, answer_of
from exobridge.simulator.account.records import details_page

PAGE: Page = {
    "Call": {
        "Sid": "a<b&\x00\ufffe",
        "Price": None,
        "Details": details_page(31, [("completed", 42), ("busy", 0)]),
    },
    "phones": [{"sid": "one", "voice": True}],
}


def test_json_is_the_page() -> None:
    """As it is, or with its keys in lower case, inner ones too."""
    assert json.loads(answer_of(200, PAGE, "json", "/").body) == PAGE
    lower = json.loads(answer_of(200, PAGE, "lower", "/").body)["call"]
    assert lower["details"]["legs"][1] == {"leg": {"id": 2, "oncallduration": 0}}
    assert (lower["sid"], lower["price"]) == (PAGE["Call"]["Sid"], None)


def test_xml_has_the_same() -> None:
    """Each leg an element; what XML cannot hold is left out."""
    told = answer_of(200, PAGE, "xml", "/")
    root = ElementTree.fromstring(told.body.decode())
    assert (root.tag, told.headers["Content-Type"]) == ("TwilioResponse", "application/xml")
    assert root.findtext("Call/Sid") == "a<b&"
    assert root.findtext("Call/Price") == ""
    assert [leg.findtext("Id") for leg in root.findall("Call/Details/Legs/Leg")] == ["1", "2"]
    assert root.findtext("phones/Entry/voice") == "true"


def test_a_refusal_may_have_a_code() -> None:
    """Exotel's own."""
    with_code = Refusal(400, "Invalid", 34001).page["RestException"]
    assert with_code == {"Status": 400, "Message": "Invalid", "Code": 34001}
    assert Refusal(404, "None").page == {"RestException": {"Status": 404, "Message": "None"}}
