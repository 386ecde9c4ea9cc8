"""The state of one scripted conversation: a turn in, actions out. No clock, no await."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from exobridge_providers.base import Action, CollectDigits, HangUp, Say, Transfer, UserTurn
from exobridge_providers.dialogue.script import VARIABLE, Ending, Intent, ScriptedOptions, Slot
from exobridge_providers.dialogue.words import find_phrase, only_digits, spoken_digits, words

_TOO_LONG = 200
"""Characters of a spoken answer that are kept for a ``text`` slot."""


class Conversation:
    """One call's conversation.

    A question that is open (a slot of an intent) has the first right to the turn; but a caller who
    names another intent instead is followed there.

    Args:
        script: What is said and understood.
        variables: The call's values; those the script declares and the call lacks get its
            defaults.
        greeting: What was said before the first turn.
    """

    def __init__(
        self, script: ScriptedOptions, variables: Mapping[str, str], greeting: str = ""
    ) -> None:
        self._script = script
        self._phrases = [
            (intent, [words(phrase) for phrase in intent.phrases]) for intent in script.intents
        ]
        self._variables = {**script.variables, **variables}
        self._last_said = Say(greeting)
        self._used: Counter[str] = Counter()
        self._intent: Intent | None = None
        self._slots: dict[str, str] = {}
        self._not_understood = 0
        self._wishes: list[str] = []
        self._menu = menu_keys(script)
        self._keys_asked = 0
        self._begun_anew = ""

    def answer(self, turn: UserTurn) -> list[Action]:
        """The actions of one turn; none if nothing was said or keyed, as when the wait for keys
        that were asked for is over. Where a transfer failed the host has the words."""
        if turn.transfer_failed:
            return self._collect()
        digits, asked = self._begun_anew + turn.digits, self._keys_asked
        self._begun_anew, self._keys_asked = "", 0
        if asked and len(turn.digits) == asked and "*" in turn.digits:
            return self._begin_anew(digits)
        said, keys = words(turn.text), _keyed(digits)
        if not said and not keys:
            return []
        actions = self._understand(turn.text, said, keys)
        if actions is None:
            return self._fall_back()
        self._not_understood = 0
        return actions

    def _understand(self, text: str, said: list[str], keys: str) -> list[Action] | None:
        slot = self._open_slot()
        if slot is None:
            spoken = spoken_digits(said) if only_digits(said) else ""
            found = self._match(said, keys or spoken)
            return self._begin(*found) if found else None
        # Digits answer an open question; keys that cannot may still choose an intent.
        found = self._match(said, keys if slot.kind == "text" else "")
        value = _slot_value(slot, text, said, keys)
        if found and (value is None or not found[1]):
            return self._begin(*found)
        if value is None:
            return None
        self._slots[slot.name] = value
        return self._go_on()

    def _match(self, said: list[str], digits: str) -> tuple[Intent, list[str]] | None:
        """The intent meant, and the words that were not needed to find it."""
        for intent in self._script.intents:
            if intent.digits and intent.digits == digits:
                return intent, []
        best: tuple[tuple[int, int], Intent, list[str]] | None = None
        for intent, phrases in self._phrases:
            for phrase in phrases:
                if place := find_phrase(phrase, said):
                    rank = (intent.priority, sum(map(len, phrase)))
                    if best is None or rank > best[0]:
                        best = rank, intent, [*said[: place[0]], *said[place[1] :]]
        return best and best[1:]

    def _begin(self, intent: Intent, rest: list[str]) -> list[Action]:
        if intent.repeat:
            return self._repeat(intent)
        self._intent, self._slots = intent, {}
        digit_slots = [slot for slot in intent.slots if slot.kind == "digits"]
        digits = spoken_digits(rest)
        if len(digit_slots) == 1 and digits and digit_slots[0].fits(digits):
            self._slots[digit_slots[0].name] = digits
        return self._go_on()

    def _repeat(self, intent: Intent) -> list[Action]:
        again = self._last_said
        before = [self._reply_of(intent)] if intent.reply else []
        self._last_said = again
        return [*self._collect(), *before, *([again] if again.text else [])]

    def _open_slot(self) -> Slot | None:
        slots = self._intent.slots if self._intent else ()
        return next((slot for slot in slots if slot.name not in self._slots), None)

    def _go_on(self) -> list[Action]:
        """Ask for the next slot, or answer."""
        intent = self._intent
        if intent is None:
            return []
        if (slot := self._open_slot()) is not None:
            return [*self._collect(), self._say(slot.ask)]
        self._wishes.append(_wish(intent, self._slots))
        said = [self._reply_of(intent)] if intent.reply else []
        self._forget_intent()
        ending = self._ending(intent, intent.name)
        return [*([] if ending else self._collect()), *said, *ending]

    def _forget_intent(self) -> None:
        self._intent, self._slots = None, {}

    def _fall_back(self) -> list[Action]:
        self._not_understood += 1
        give_up = self._script.give_up
        if give_up and self._not_understood >= self._script.max_fallbacks:
            self._not_understood = 0
            self._forget_intent()
            said = [self._say(self._next_of("give_up", give_up.reply))] if give_up.reply else []
            return [*said, *self._ending(give_up, "not understood")]
        if (slot := self._open_slot()) is not None:
            return [*self._collect(), self._say(slot.retry or slot.ask)]
        return [*self._collect(), self._say(self._next_of("fallback", self._script.fallback))]

    def _collect(self, begun: int = 0) -> list[Action]:
        """Ask for the keys of an open question, or of the menu, so that the last of them ends the
        turn. It comes before the text: who knows it may press into it. Where the number of digits
        is open the host's own rules stay, a short pause among them.

        Args:
            begun: So many are there.
        """
        slot = self._open_slot()
        if slot is None or slot.kind == "text":
            return [self._menu] if self._menu else []
        if slot.only_length is None:
            return []
        self._keys_asked = slot.only_length - begun
        return [CollectDigits(self._keys_asked)]

    def _begin_anew(self, digits: str) -> list[Action]:
        """``*`` was one of the keys asked for, and what follows it is not all yet: the rest."""
        entry = digits.rpartition("*")[2]
        self._begun_anew = f"*{entry}"
        return self._collect(len(entry))

    def _ending(self, ending: Ending, reason: str) -> list[Action]:
        if ending.transfer:
            target = "" if ending.transfer is True else ending.transfer
            return [Transfer(target, summary=self._summary())]
        return [HangUp(reason)] if ending.hang_up else []

    def _summary(self) -> str:
        asked = "; ".join(self._wishes)
        return f"Asked for: {asked}." if asked else ""

    def _reply_of(self, intent: Intent) -> Say:
        text = self._next_of(f"intent {intent.name}", intent.reply)
        return self._say(text, interruptible=intent.interruptible)

    def _next_of(self, use: str, texts: Sequence[str]) -> str:
        text = texts[self._used[use] % len(texts)]
        self._used[use] += 1
        return text

    def _say(self, text: str, *, interruptible: bool = True) -> Say:
        values = {**self._variables, **self._slots}
        spoken = VARIABLE.sub(lambda found: values.get(found[1], ""), text)
        self._last_said = Say(spoken, interruptible=interruptible)
        return self._last_said


def menu_keys(script: ScriptedOptions) -> CollectDigits | None:
    """How to ask for a key of the menu; ``None``: there is none, or some choices take more keys."""
    choices = [intent.digits for intent in script.intents if intent.digits]
    if len(choices) < 2 or max(map(len, choices)) > 1:
        return None
    return CollectDigits(max_digits=1, terminator="" if "#" in choices else "#")


def _keyed(digits: str) -> str:
    """The keys of an entry: ``*`` starts it anew and ``#`` ends it, unless they stand alone."""
    if digits in ("*", "#", ""):
        return digits
    return digits.rpartition("*")[2].rstrip("#")


def _slot_value(slot: Slot, text: str, said: list[str], keys: str) -> str | None:
    if slot.kind == "text":
        return text.strip(" .,!?।")[:_TOO_LONG] if said else None
    digits = keys or spoken_digits(said)
    return digits if digits and digits.isdigit() and slot.fits(digits) else None


def _wish(intent: Intent, slots: Mapping[str, str]) -> str:
    details = ", ".join(f"{name} {value}" for name, value in slots.items())
    return f"{intent.name} ({details})" if details else intent.name
