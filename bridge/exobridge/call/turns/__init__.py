"""Whose turn it is: every rule of turn-taking, pure.

Events and ``now`` in, actions out. Positions (``..._ms``) are milliseconds of the caller's audio;
``now`` is seconds of any steady clock.

The bot has the floor (it is heard, or its answer is being made):

* The first voiced window holds it back at once (``PAUSE_BOT``): that can be undone, and up to the
  lead of audio plays on at Exotel, so a short noise goes unheard.
* Words decide, as soon as they are sure: a word that interrupts alone, or ``min_words`` that are
  not all backchannels, are an interruption (``INTERRUPT_BOT``) once two partials have them, or a
  final text. They are asked for (``Peek``) while the voice goes on, and when it pauses.
* Backchannels alone are none, whatever their length up to ``BACKCHANNEL_S``, nor is a single
  unknown word: once the voice is over, the bot goes on with the first sample that was held back
  (``RESUME_BOT``). The single word is kept and taken as a turn when the bot has finished, and so is
  a backchannel within ``ANSWER_IN_TIME_S`` of the bot's end.
* In the bot's first line a greeting ("hello?") counts as a backchannel.
* Where no words are known ``DECIDE_S`` (or ``BLIND_S``) after the first voice and ``TEXT_MS`` after
  the last, ``barge_in_ms`` of voice are an interruption; less is none. Words of one partial alone
  have until ``BACKCHANNEL_S`` to become sure, while the voice goes on. In a pause the words that
  are on their way are waited for, whatever those before were: the bot is not heard meanwhile.
* An interruption that held nothing but backchannels, or nothing, leaves the floor to the bot:
  ``GO_ON``.
* Before the bot is heard there is less to lose: ``barge_in_ms`` of voice, or any word that is no
  backchannel, drop the answer (``DROP_ANSWER``), and the next turn holds both parts, keys included.
* Nobody interrupts what is protected, and nothing where ``barge_in`` is off; what is said or
  pressed meanwhile is kept.

The caller has the floor:

* Voice of ``ONSET_MS`` begins a segment for the recogniser (``StartSegment``); less than
  ``MIN_VOICE_MS`` of it was a noise (``DropSegment``).
* A pause of ``PAUSE_MS`` asks for the words (``Peek``, or ``Finalize`` where the recogniser cannot
  answer that), so that they are known when the turn ends.
* Silence of ``end_silence_ms`` ends the turn; less, where the words or the recogniser say that it
  is whole; ``max_end_silence_ms`` where they clearly go on. Then the text makes the turn
  (``TakeTurn``).
* Where the dialogue is speculative, it is asked as soon as all words are known
  (``TakeTurn.certain`` is ``False``), and nothing is played. ``CERTAIN`` follows when the turn is
  over, ``DROP_ANSWER`` when the caller goes on.
* Keys end with ``#`` or a pause; what is said meanwhile belongs to the same turn.
* Who has paused in a turn and gone on, though the words did not foretell it, is given a quarter
  more silence than that.
* A turn longer than ``max_turn_seconds`` is ended for the caller: in the next gap between words of
  ``GAP_MS``, or after ``GAP_WAIT_MS`` without one. Until the bot is heard, and the next pause after
  that, their voice neither interrupts nor drops the answer, so that the bot gets a word in; it is
  transcribed.
* Words that no event turns into a turn (the voice was too low for the detector, say) are taken when
  all has been quiet for as long as ends a turn.
"""

from exobridge.call.turns.actions import (
    Action,
    DropSegment,
    Finalize,
    Peek,
    Signal,
    StartSegment,
    TakeTurn,
    TurnOptions,
)
from exobridge.call.turns.policy import TurnPolicy
from exobridge.call.turns.vocabulary import Vocabulary, vocabulary

__all__ = [
    "Action",
    "DropSegment",
    "Finalize",
    "Peek",
    "Signal",
    "StartSegment",
    "TakeTurn",
    "TurnOptions",
    "TurnPolicy",
    "Vocabulary",
    "vocabulary",
]
