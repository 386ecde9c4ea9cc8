"""What rules decide of a call, as its stream meets it: on this worker, on another, without a
question before, and in the caller's ear."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from exobridge.call import events
from exobridge.call.events import Decision, Role
from exobridge.call.routed import NOT_ROUTED, Routed
from exobridge.routing.service import MAX_UNKNOWN
from exobridge.simulator import CallPlan, Exotel, Say
from exobridge.templates import Template
from tests.routing.asking import HINDI_PHONE, asked, routed
from tests.server import LINE, QUICK, http_client, serving
from tests.test_desk import HUMAN, OURS, asking, front, opening

RULES: dict[str, Any] = {
    "variables": {"tier": "none", "shop": "Acme"},
    "greeting": "Hello {tier}.",
    "hours": {"sat": ["09:00-18:00"]},
    "refusal": {"mode": "say", "closed": "Closed."},
    "routes": [
        {
            "name": "vip",
            "when": {"digits": "1"},
            "then": {"language": "ta-IN", "say": "{{hi}} {tier}.", "variables": {"tier": "gold"}},
        },
        {"name": "night", "when": {"digits": "2"}, "then": {"template": "night"}},
        {"name": "no", "when": {"digits": "3"}, "then": {"refuse": "closed", "say": "No {{x}}."}},
        {"name": "b", "when": {"digits": "4"}, "then": {"branch": "b"}},
        {"name": "applet", "when": {"digits": "5"}, "then": {"applet": "vip-connect"}},
        {"name": "known", "when": {"caller": HUMAN}, "then": {"variables": {"tier": "known"}}},
    ],
}
SHOP = Template.model_validate(RULES)


async def test_another_worker_knows_what_was_decided(tmp_path: Path) -> None:
    """Language, words and variables are kept with the answer: a stream that comes to another
    process has them, and so has a second answer."""
    async with front(tmp_path, shop=SHOP) as at:
        before, after = at.desk(), at.desk()
        await before.answer(replace(asking(), digits="1"))
        plan = await after.plan_stream(opening())
        assert plan is not None
        assert plan.first_language == "ta-IN"
        assert plan.opening() == ("", "{hi} gold.")
        assert plan.variables()["tier"] == "gold"
        assert plan.variables()["shop"] == "Acme"
        again = await after.answer(asking())
        assert again.routed == (await before.answer(asking())).routed
        assert at.accepted[0].opening() == at.accepted[1].opening() == plan.opening()
        before.close()
        after.close()


async def test_a_call_may_go_on_with_another_template(tmp_path: Path) -> None:
    """By whose hours it is taken or not; its later questions are asked of the rules that sent it
    there."""
    async with front(tmp_path, shop=SHOP, night=Template(greeting="Good night.")) as at:
        desk = at.desk()
        at.now = at.now.replace(hour=23)
        assert (await desk.answer(replace(asking("late"), digits="1"))).reason == "closed"
        taken = await desk.answer(replace(asking("sent"), digits="2"))
        assert (taken.decision, taken.template_name) == (Decision.ACCEPT, "night")
        call = await at.store.call("sent")
        assert call is not None
        assert (call.template, call.routed.entry) == ("night", "shop")
        assert desk.place(asking("sent"), call).template_name == "night"
        assert desk.entry(asking("sent"), call).template_name == "shop"
        desk.close()


async def test_a_rule_turns_a_call_away(tmp_path: Path) -> None:
    """With the line of the rule, or down the flow's branch B, whatever the template's way is;
    asked again alike. An applet's name is told each time."""
    async with front(tmp_path, shop=SHOP) as at:
        desk = at.desk()
        for _ in range(2):
            said = await desk.answer(replace(asking("said"), digits="3"))
            assert (said.decision, said.reason) == (Decision.SAY, "closed")
            sent = await desk.answer(replace(asking("sent"), digits="4"))
            assert (sent.decision, sent.reason) == (Decision.REFUSE, "routed")
            named = await desk.answer(replace(asking("named"), digits="5"))
            assert (named.decision, named.routed.body) == (Decision.ACCEPT, "vip-connect")
        plan = await desk.plan_stream(opening("said"))
        assert plan is not None
        assert plan.say is not None
        assert plan.text(plan.say) == "No {x}."
        assert await desk.plan_stream(opening("sent")) is None
        desk.close()


async def test_a_stream_that_nobody_asked_about_is_routed_too(tmp_path: Path) -> None:
    """By what its ``start`` tells; and a further stream of the call, on another worker, is held to
    what the first was."""
    async with front(tmp_path, shop=SHOP) as at:
        desk = at.desk()
        plan = await desk.plan_stream(opening())
        assert plan is not None
        assert plan.routed.rule == "known"
        await at.store.append(
            events.stream_started(
                "c1", at.now, stream_sid="s1", template="shop", called=OURS, routed=plan.routed
            )
        )
        call = await at.store.call("c1")
        assert call is not None
        assert call.routed == plan.routed
        at.templates["shop"] = Template.model_validate({**RULES, "routes": []})
        other = await at.desk().plan_stream(replace(opening(), stream_sid="s2"))
        assert other is not None
        assert other.variables()["tier"] == "known"
        desk.close()


def test_what_was_decided_survives_the_record() -> None:
    """Written and read it is the same; an older release has told nothing, and what is none of it
    is passed over."""
    kept = Routed("shop", "vip", "ta-IN", "Hi.", "bot", (("a", "1"), ("b", "2")))
    assert Routed.read(kept.data()) == kept
    assert Routed.read(None) == NOT_ROUTED
    assert Routed.read({"entry": 1, "variables": ["x"]}) == NOT_ROUTED


async def test_the_caller_hears_what_the_rule_says(tmp_path: Path) -> None:
    """In the language of the rule: the greeting, and the record of it."""
    template = routed(
        '\n[[routes]]\nname = "tamil"\n'
        f'when = {{ caller = "{HUMAN}" }}\nthen = {{ language = "ta-IN", say = "Vanakkam." }}\n'
    )
    async with serving(tmp_path, {"default": template}) as server, Exotel() as exotel:
        plan = CallPlan(url=server.url, script=(Say(LINE),), caller=HUMAN, patience=QUICK)
        report = await exotel.call(plan)
        await server.until_over(report.call_sid)
        turns = await server.bridge.store.turns(report.call_sid)
        first = next(turn for turn in turns if turn.role is Role.BOT)
        assert (first.text, first.language) == ("Vanakkam.", "ta-IN")
        call = await server.kept(report.call_sid)
        assert call.routed.rule == "tamil"


async def test_a_rule_that_is_not_there_is_told_once(tmp_path: Path) -> None:
    """An applet that asks about it takes branch B; so it does where there are no rules at all. Each
    name is told once, and no more names than a few."""
    rule = routed('\n[[routes]]\nname = "vip"\n')
    numbers = "+918047112233=default,+918047112244=plain"
    templates = {"default": rule, "plain": routed("")}
    async with (
        serving(tmp_path, templates, EXOTEL_NUMBERS=numbers) as server,
        http_client(server.url) as http,
    ):
        for call_sid in ("c1", "c2"):
            answer = await asked(http, "/exotel/passthru", call_sid, rule="vip, vp")
            assert answer.status_code == 200
            answer = await asked(http, "/exotel/passthru", call_sid, rule="vp")
            assert answer.status_code == 302
        plain = await asked(http, "/exotel/passthru", "c3", called=HINDI_PHONE, rule="vip")
        assert plain.status_code == 302
        told = server.log("unknown rule")
        assert [(each["template"], each["rule"]) for each in told] == [
            ("default", "vp"),
            ("plain", "vip"),
        ]
        many = ",".join(f"r{number}" for number in range(2 * MAX_UNKNOWN))
        await asked(http, "/exotel/passthru", "c4", rule=many)
        assert len(server.log("unknown rule")) == MAX_UNKNOWN
