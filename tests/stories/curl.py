"""Does what a ``curl`` command of the documentation would, also where there is no ``curl``."""

from __future__ import annotations

import shlex
from collections.abc import Callable

import httpx

from tests.server import http_client


async def curl(command: str, url_of: Callable[[str], str]) -> httpx.Response:
    """Post the form of a command ``curl -u USER:PASSWORD URL -d NAME=VALUE …``.

    Args:
        command: As it would be typed.
        url_of: What is asked in place of its URL.
    """
    words = shlex.split(command.replace("\\\n", " "))
    assert words.pop(0) == "curl"
    user, form, urls = ("", ""), dict[str, str](), list[str]()
    while words:
        word = words.pop(0)
        if word == "-u":
            name, _, password = words.pop(0).partition(":")
            user = (name, password)
        elif word == "-d":
            name, _, value = words.pop(0).partition("=")
            form[name] = value
        else:
            urls.append(word)
    [url] = urls
    async with http_client() as http:
        return await http.post(url_of(url), data=form, auth=user)
