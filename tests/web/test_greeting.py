"""``/exotel/greeting``: whoever asks gets a text."""

from __future__ import annotations

from pathlib import Path

from exobridge.greetings import MAX_TEXT
from tests.database import held
from tests.routing.asking import CALLER, EXOPHONE, HINDI_PHONE, asked, routed
from tests.server import IMPATIENT, bot, http_client, serving

NUMBERS = "+918047112233=shop,+918047112244=hindi"
HINDI = """
language = "hi-IN"
greeting = "नमस्ते {caller}, {shop} {{ok}}."
refusal = { closed = "बंद।" }

[variables]
shop = "Acme"

[[routes]]
name = "one"
when = { digits = "1" }
then = { variables = { shop = "दुकान" } }

[[routes]]
name = "two"
when = { digits = "2" }
then = { template = "shop" }

[[routes]]
name = "three"
when = { digits = "3" }
then = { refuse = "closed" }

[[routes]]
name = "four"
when = { digits = "4" }
then = { language = "ta-IN" }
"""


async def test_the_text_is_the_templates_as_the_rules_have_it(tmp_path: Path) -> None:
    """Its own greeting with the call's variables, another template's, the line of a refusal, the
    default of another language; as plain text in UTF-8, by GET and POST."""
    templates = {"shop": bot(greeting="Welcome."), "hindi": HINDI}
    async with (
        serving(tmp_path, templates, EXOTEL_NUMBERS=NUMBERS) as server,
        http_client(server.url) as http,
    ):
        texts: dict[str, str] = {}
        for digits in ("", "1", "2", "3", "4"):
            answer = await asked(
                http, "/exotel/greeting", f"c{digits}", CALLER, HINDI_PHONE, digits=digits
            )
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "text/plain; charset=utf-8"
            texts[digits] = answer.text
        assert texts.pop("4").startswith("வணக்கம்")
        assert texts == {
            "": "नमस्ते 9 8 1 1 1 2 2 2 0 0, Acme {ok}.",
            "1": "नमस्ते 9 8 1 1 1 2 2 2 0 0, दुकान {ok}.",
            "2": "Welcome.",
            "3": "बंद।",
        }
        form = {"CallSid": "c", "CallFrom": CALLER, "CallTo": EXOPHONE}
        assert (await http.post("/exotel/greeting", data=form)).text == "Welcome."
        assert server.bridge.desk.admission.calls == 0
        assert await server.bridge.store.calls() == []


async def test_without_a_call_there_is_a_text_all_the_same(tmp_path: Path) -> None:
    """An applet without a text plays nothing; a number that is nobody's gets the default's."""
    templates = {"shop": bot(greeting="Welcome."), "default": bot(greeting="Hello.")}
    async with (
        serving(tmp_path, templates, EXOTEL_NUMBERS="+918047112233=shop") as server,
        http_client(server.url) as http,
    ):
        nobody = await http.get("/exotel/greeting")
        assert (nobody.status_code, nobody.text) == (200, "Hello.")
        strange = await asked(http, "/exotel/greeting", "c", called="08047999999")
        assert (strange.status_code, strange.text) == (200, "Hello.")


async def test_only_who_proves_himself_gets_a_text(tmp_path: Path) -> None:
    """As at every endpoint of Exotel's; the secret may stand in the path."""
    secret = "a-secret-of-the-tests"
    async with (
        serving(tmp_path, EXOBRIDGE_SECRET=secret) as server,
        http_client(server.url) as http,
    ):
        assert (await asked(http, "/exotel/greeting", "c")).status_code == 403
        assert (await asked(http, f"/exotel/greeting/{secret}", "c")).status_code == 200
        assert (await asked(http, "/exotel/greeting", "c", auth_token=secret)).status_code == 200


async def test_a_text_has_an_end(tmp_path: Path) -> None:
    """It is cut between two words."""
    long = "word " * 300
    rules = f'\n[[routes]]\nname = "long"\nthen = {{ say = "{long}" }}\n'
    async with (
        serving(tmp_path, {"default": routed(rules)}) as server,
        http_client(server.url) as http,
    ):
        text = (await asked(http, "/exotel/greeting", "c")).text
        assert MAX_TEXT - 5 <= len(text) <= MAX_TEXT
        assert set(text.split()) == {"word"}


async def test_a_database_that_hangs_delays_no_caller(tmp_path: Path) -> None:
    """The text is told without it, and the log says so."""
    async with serving(tmp_path, waits=IMPATIENT) as server, http_client(server.url) as http:
        await asked(http, "/exotel/answer", "c")
        await server.bridge.store.flush()
        async with held(tmp_path / "data" / "exobridge.sqlite3"):
            answer = await asked(http, "/exotel/greeting", "c")
        assert (answer.status_code, answer.text) == (200, "Hello there.")
        assert server.log("call not looked up", call_sid="c")
