"""Callers who interrupt."""

from __future__ import annotations

from tests.conversations.acts import Into, Meaning, Speak, interrupt, murmur, say
from tests.conversations.scenario import Ears, Group, Scenario, grouped

QUESTION = say("what are your opening hours", "when are you open please")
WANTS = (
    "no i asked about my parcel",
    "wait i would like something else",
    "sorry where is my parcel please",
    "actually can you tell me about the gift box",
)


SCENARIOS = grouped(
    Group.INTERRUPTIONS,
    Scenario(
        "interrupt-at-once", "as the answer begins", (QUESTION, interrupt(*WANTS, cue=Into(60)))
    ),
    Scenario("interrupt-early", "after a few words", (QUESTION, interrupt(*WANTS, cue=Into(700)))),
    Scenario(
        "interrupt-mid-sentence", "in the middle", (QUESTION, interrupt(*WANTS, cue=Into(2500)))
    ),
    Scenario("interrupt-late", "near the end", (QUESTION, interrupt(*WANTS, cue=Into(5200)))),
    Scenario("interrupt-greeting", "the greeting", (interrupt(*WANTS, cue=Into(300)),)),
    Scenario(
        "interrupt-stop",
        "one word that means it",
        (QUESTION, interrupt("stop", "wait", "no", cue=Into(1800), turning=0)),
    ),
    Scenario(
        "interrupt-stop-hindi",
        "one word that means it, in Hindi",
        (QUESTION, interrupt("ruko", "nahi", "bas", "रुको", "नहीं", cue=Into(1800), turning=0)),
        language="hi-IN",
    ),
    Scenario(
        "interrupt-hindi",
        "in Hindi, Latin script",
        (
            say("aap kab tak khule hain"),
            interrupt("mujhe kuch aur poochna hai", "nahi mera parcel kahan hai", cue=Into(2000)),
        ),
        language="hi-IN",
    ),
    Scenario(
        "interrupt-devanagari",
        "in Hindi, Devanagari",
        (say("आप कब तक खुले हैं"), interrupt("मुझे कुछ और पूछना है", "नहीं मेरा पार्सल कहाँ है", cue=Into(2000))),
        language="hi-IN",
    ),
    Scenario(
        "interrupt-tamil",
        "in Tamil",
        (say("எப்போது திறந்திருக்கும்"), interrupt("எனக்கு வேறு ஒரு கேள்வி இருக்கிறது", cue=Into(2000))),
        language="ta-IN",
    ),
    Scenario(
        "interrupt-long",
        "with a long sentence",
        (
            QUESTION,
            interrupt(
                "listen i have been waiting for my parcel since last week and nobody has called me "
                "back so i want to know where it is",
                cue=Into(1500),
            ),
        ),
    ),
    Scenario(
        "interrupt-twice",
        "two answers in a row",
        (
            QUESTION,
            interrupt(*WANTS, cue=Into(1500)),
            interrupt("no not that one", "wait tell me the price", cue=Into(1500)),
        ),
    ),
    Scenario(
        "interrupt-quietly",
        "in a low voice",
        (QUESTION, interrupt(*WANTS, cue=Into(1800))),
        level=0.75,
    ),
    Scenario(
        "but-english",
        "begins like a backchannel",
        (
            QUESTION,
            interrupt(
                "yeah but i need the other one",
                "okay but what about sunday",
                "right so where is my parcel",
                cue=Into(1800),
            ),
        ),
    ),
    Scenario(
        "but-hindi",
        "begins like a backchannel, in Hindi",
        (
            QUESTION,
            interrupt(
                "haan lekin mujhe kal chahiye", "accha par mera parcel kahan hai", cue=Into(1800)
            ),
        ),
        language="hi-IN",
    ),
    Scenario(
        "but-devanagari",
        "begins like a backchannel, in Devanagari",
        (QUESTION, interrupt("हाँ लेकिन मुझे कल चाहिए", "अच्छा पर मेरा पार्सल कहाँ है", cue=Into(1800))),
        language="hi-IN",
    ),
    Scenario(
        "but-after-a-pause",
        "a backchannel, a breath, and then it goes on",
        (
            QUESTION,
            interrupt(
                "haan ~350 lekin mujhe kal chahiye",
                "accha ~600 par mera parcel kahan hai",
                cue=Into(1500),
            ),
        ),
        language="hi-IN",
    ),
    Scenario(
        "backchannel-then-interruption",
        "a backchannel, and later an interruption",
        (
            QUESTION,
            murmur("haan", "accha", "theek hai", cue=Into(900)),
            interrupt("lekin mujhe kal chahiye", "nahi mera parcel kahan hai", cue=Into(1800)),
        ),
        language="hi-IN",
    ),
    Scenario(
        "double-talk",
        "goes on talking at the moment the answer begins",
        (
            QUESTION,
            Speak(
                ("and also on sunday please", "i mean the shop in town"),
                Into(0),
                Meaning.INTERRUPTION,
                turning=1,
                spread_ms=80,
            ),
        ),
    ),
    Scenario(
        "interrupt-blind",
        "a recogniser that tells nothing before the end",
        (QUESTION, interrupt(*WANTS, cue=Into(1800))),
        ears=(Ears.BLIND,),
    ),
)
