"""Whose turn it is: hesitation, second thoughts, long speeches, early answers."""

from __future__ import annotations

from tests.conversations.acts import (
    After,
    Into,
    Kind,
    Meaning,
    MyTurn,
    Sound,
    Speak,
    interrupt,
    murmur,
    say,
)
from tests.conversations.catalogue.interruptions import QUESTION
from tests.conversations.scenario import (
    GIFT,
    HOURS,
    MORE,
    PARCEL,
    REPLIES,
    Ears,
    Group,
    Reply,
    Scenario,
    grouped,
)

TOOL = tuple(Reply(each.text, tool=True) for each in (HOURS, PARCEL, GIFT, MORE))
ASKS = Reply("Which city shall we send your parcel to?")
LEGAL = Reply(
    "This call is recorded for quality, and you agree to it by going on.", interruptible=False
)

COLOURS = ("red", "green", "blue", "white", "brown", "yellow")

STORY = (
    "so i ordered a gift box two weeks ago ~300 for my sister in pune ~350 "
    "and they told me it would come by monday ~300 but on monday nobody came ~380 "
    "then i called and a lady said it was on its way ~350 and i waited the whole day ~370 "
    "and today is friday ~300 so please tell me where it is"
)


SCENARIOS = grouped(
    Group.TURNS,
    Scenario(
        "three-turns",
        "questions and answers",
        (
            QUESTION,
            say("where is my parcel", "can you tell me where my parcel is"),
            say("and the gift box please", "how much is the gift box"),
        ),
        turns=3,
    ),
    Scenario("one-word", "a word alone is a turn", (say("delhi", "tomorrow", "parcel"),), turns=1),
    Scenario(
        "yes-to-a-question",
        "what would be a backchannel is the answer",
        (QUESTION, say("haan", "ji haan", "yes", cue=MyTurn(600))),
        replies=(ASKS, HOURS, PARCEL),
        language="hi-IN",
        turns=2,
    ),
    Scenario(
        "answer-before-the-end",
        "the answer comes in the question's last word",
        (QUESTION, say("to delhi please", "send it to pune", cue=Into(2150))),
        replies=(ASKS, HOURS, PARCEL),
        turns=2,
    ),
    Scenario(
        "word-before-the-end",
        "a word alone, in the question's last word, is an answer",
        (QUESTION, say("delhi", "pune", "chennai", cue=Into(2100))),
        replies=(ASKS, HOURS, PARCEL),
        turns=2,
    ),
    Scenario(
        "number-in-parts",
        "a number with pauses",
        (
            say(
                "my number is nine eight ~650 four five ~700 six two one zero three four",
                "it is nine eight four ~800 five six two ~600 one zero three four",
            ),
        ),
    ),
    Scenario(
        "trailing-and",
        "a pause after a word that goes on",
        (
            say(
                "i want to order the gift box and ~700 two of the books",
                "please send it to ~650 my sister in pune",
                "i would like to know if ~600 you are open on sunday",
            ),
        ),
    ),
    Scenario(
        "trailing-lekin",
        "a pause after a word that goes on, in Hindi",
        (
            say(
                "mujhe gift box chahiye aur ~700 do kitaabein",
                "main kal aa sakta hoon lekin ~650 shaam ko",
                "मुझे गिफ्ट बॉक्स चाहिए और ~700 दो किताबें",
            ),
        ),
        language="hi-IN",
    ),
    Scenario(
        "um",
        "a filler and a pause",
        (say("i wanted to ask um ~650 about my parcel", "it is about uh ~600 the gift box"),),
    ),
    Scenario("story", "half a minute with breaths", (say(STORY),)),
    Scenario(
        "endless",
        "a turn longer than it may be: the bot answers into it, between two words",
        (
            say(
                "so i ordered a box ^300 for my sister in pune ^300 two weeks ago and they ^300 "
                "said it would come by ^300 monday but nobody came ^300 then i called and a ^300 "
                "lady said it was ^300 on its way so please ^300 tell me where it is",
            ),
        ),
        replies=(*REPLIES, *(Reply(f"I see, that was the {each} box.") for each in COLOURS)),
        template={"turns": {"max_turn_seconds": 5}},
    ),
    Scenario(
        "second-thought",
        "goes on before the answer is heard",
        (
            say(
                "where is my parcel ^480 the one from last week",
                "gift box ^550 no the books please",
            ),
        ),
    ),
    Scenario(
        "eager-and-wrong",
        "a pause shorter than the end of a turn, a dialogue that starts early and has tools",
        (
            say(
                "where is my parcel ~280 the one from last week",
                "hello ~250 my order number is nine",
            ),
        ),
        replies=TOOL,
        speculative=True,
    ),
    Scenario(
        "tools",
        "each turn runs a tool",
        (QUESTION, say("where is my parcel", cue=MyTurn())),
        replies=TOOL,
        turns=2,
    ),
    Scenario(
        "not-to-be-interrupted",
        "talks into a passage that must be heard",
        (
            QUESTION,
            Speak(("where is my parcel", "no wait i have a question"), Into(1200), Meaning.ASIDE),
        ),
        replies=(LEGAL, PARCEL, GIFT),
        turns=2,
    ),
    Scenario(
        "greeting-protected",
        "talks into the first part of a greeting that must be heard, and is answered after it",
        (Speak(("where is my parcel", "no wait i have a question"), Into(200), Meaning.ASIDE),),
        template={"turns": {"protect_greeting_ms": 5000}},
        turns=1,
    ),
    Scenario(
        "greeting-protected-in-part",
        "interrupts a greeting whose first second must be heard",
        (interrupt("no wait where is my parcel please", cue=Into(1150)),),
        template={"turns": {"protect_greeting_ms": 1000}},
        turns=1,
    ),
    Scenario(
        "barge-in-off",
        "talks into an answer of a bot that cannot be interrupted, and is not heard",
        (
            QUESTION,
            Speak(("where is my parcel", "wait one moment please"), Into(1500), Meaning.ASIDE),
        ),
        template={"turns": {"barge_in": False}},
        turns=2,
        words=False,
    ),
    Scenario(
        "another-language",
        "the bot goes on in Tamil: a backchannel of two words, and then an interruption",
        (
            say("தமிழ் பேசுங்கள்"),
            murmur("ஆமா சரி", "aama sari", cue=Into(900)),
            interrupt("எனக்கு வேறு ஒரு கேள்வி இருக்கிறது", cue=Into(1500)),
        ),
        replies=(Reply(HOURS.text, language="ta-IN"), PARCEL, GIFT),
        turns=2,
    ),
    Scenario(
        "asked-if-there",
        "silent until asked, and then a question",
        (
            Sound(Kind.SILENCE, (21_500, 22_500), MyTurn()),
            say("what are your opening hours", "yes where is my parcel", cue=After(200)),
        ),
        turns=1,
    ),
    Scenario(
        "gone",
        "silent for good: the bot asks, says goodbye, and hangs up when it was heard",
        (Sound(Kind.SILENCE, (120_000, 120_000), MyTurn()),),
        ends="idle",
        turns=0,
    ),
    Scenario(
        "correction",
        "a second sentence right after the first",
        (say("send it to delhi"), say("no to pune i mean", "sorry to pune please", cue=After(350))),
        turns=2,
    ),
    Scenario(
        "eager-ears",
        "a recogniser that ends turns itself",
        (QUESTION, say("where is my parcel")),
        ears=(Ears.TURNS,),
        turns=2,
    ),
)
