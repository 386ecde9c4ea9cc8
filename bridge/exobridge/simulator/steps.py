"""What a script of the caller is made of, and what came of each line."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from exobridge.simulator.lines import Clip


@dataclass(frozen=True, slots=True)
class Say:
    """Speak, once the bot has finished."""

    clip: Clip


@dataclass(frozen=True, slots=True)
class PlayWav:
    """Play a recording, once the bot has finished."""

    clip: Clip


@dataclass(frozen=True, slots=True)
class Dtmf:
    """Press keys (``0-9*#A-D``), once the bot has finished: events, no tones on the line."""

    digits: str


@dataclass(frozen=True, slots=True)
class BargeIn:
    """Speak into the bot's next turn.

    Attributes:
        clip: What is said.
        after_ms: How long after the bot began; not counted after a ``Hear`` or ``Pause``.
        interrupts: ``False``: no answer is waited for, the bot is to go on with what it said.
    """

    clip: Clip
    after_ms: float = 1000
    interrupts: bool = True


@dataclass(frozen=True, slots=True)
class Hear:
    """Listen to the bot's next turn until it has gone so far; the next step is then done at once.

    Attributes:
        after_ms: So long after the bot began (after the caller's last word, if that was later).
        words: These words were heard in it, or it is over. They need somebody to understand them:
            ``transcribe`` of :meth:`exobridge.simulator.Exotel.call`.
    """

    after_ms: float = 0
    words: str = ""


@dataclass(frozen=True, slots=True)
class Pause:
    """Be silent until ``ms`` after the caller's own last sound or key (before there is one, after
    the call's beginning). The next step is then done at once, whatever the bot does, and the line
    before wants no answer.
    """

    ms: float


@dataclass(frozen=True, slots=True)
class BotDone:
    """Wait until the bot has finished.

    Attributes:
        anew: Wait for something that it has not begun to say yet.
    """

    anew: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Be silent for ``ms``."""

    ms: float


@dataclass(frozen=True, slots=True)
class Silence:
    """Be silent for ``ms``, and then wait for no answer to what was said before."""

    ms: float


@dataclass(frozen=True, slots=True)
class BotEnds:
    """Wait for the bot to hang up."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call: once the bot has finished, or at once. The end of a script does the former."""

    wait_for_bot: bool = True


Step = Say | PlayWav | Dtmf | BargeIn | Hear | Pause | BotDone | Wait | Silence | BotEnds | HangUp

LINES = (Say, PlayWav, BargeIn, Dtmf)
"""Steps that make a line."""


@dataclass(frozen=True, slots=True)
class Patience:
    """When the caller takes it to be their turn.

    Attributes:
        bot_done_ms: The bot has finished when nothing of it was audible for so long, and nothing
            audible is buffered.
        bot_timeout_ms: After so long without a sound of the bot the caller goes on without it.
    """

    bot_done_ms: float = 700
    bot_timeout_ms: float = 15_000


class LineKind(StrEnum):
    """What a caller's line was."""

    SAY = "say"
    AUDIO = "audio"
    DTMF = "dtmf"
    BARGE_IN = "barge-in"
    BACKCHANNEL = "backchannel"


@dataclass(frozen=True, slots=True)
class CallerLine:
    """What the caller said or pressed. Times are ms since the start event.

    Attributes:
        kind: Speech, a recording, keys, an interruption, or something said while the bot talks
            that is not meant to interrupt it.
        text: The words, or the keys.
        start_ms: Start of its first frame (or the first key).
        end_ms: End of its last frame (or the last key).
        voiced_from_ms: First audible moment.
        voiced_to_ms: Last audible moment.
        audio: What was sent, in the stream's encoding; empty for keys.
        answered: Whether it is to be answered: ``False`` where the bot is to stay silent, or to go
            on with what it was saying, and where the caller only pauses.
    """

    kind: LineKind
    text: str
    start_ms: float
    end_ms: float
    voiced_from_ms: float
    voiced_to_ms: float
    audio: bytes = b""
    answered: bool = True
