"""The pages and the picture of the set-up name what the server has."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.deploy.files import DEPLOY, ROOT

PICTURE = ROOT / "docs" / "pictures" / "exotel-flow.svg"
PAGES = (
    ROOT / "docs" / "how-to" / "exotel-setup.md",
    ROOT / "docs" / "how-to" / "deploy.md",
    DEPLOY / "README.md",
    PICTURE,
)


@pytest.mark.parametrize("path", PAGES, ids=[path.name for path in PAGES])
def test_the_guides_name_no_endpoint_that_there_is_not(path: Path) -> None:
    """A URL that is pasted into an applet must be answered."""
    endpoints = (ROOT / "docs" / "reference" / "http.md").read_text("utf-8")
    text = path.read_text("utf-8")
    named = set(re.findall(r"/exotel/([a-z-]+)", text))
    assert named <= set(re.findall(r"^\| [^|]+\| `/exotel/([a-z-]+)`", endpoints, re.M))


def test_the_picture_can_be_shown_and_be_read_out() -> None:
    """It is well-formed, has a title and a description, and colours for a dark page."""
    svg = ElementTree.parse(PICTURE).getroot()
    space = {"svg": "http://www.w3.org/2000/svg"}
    for name in ("title", "desc"):
        (found,) = svg.findall(f"svg:{name}", space)
        assert found.text
        assert found.attrib["id"] in svg.attrib["aria-labelledby"].split()
    assert "prefers-color-scheme: dark" in PICTURE.read_text("utf-8")


def test_every_file_of_the_folder_is_explained_and_every_link_leads_somewhere() -> None:
    """The table of deploy/README.md has what is there, and nothing else."""
    text = (DEPLOY / "README.md").read_text("utf-8")
    links = re.findall(r"\]\(([^):#]+)\)", text)
    assert not [link for link in links if not (DEPLOY / link).exists()]
    there = {path.name for path in DEPLOY.iterdir()} - {"README.md", ".env", "templates"}
    assert {link.rstrip("/") for link in links if "/" not in link} == there
