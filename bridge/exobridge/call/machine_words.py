"""What answering machines, operators' announcements and menus say, and humans hardly do.

A phrase must be one that nobody says who has just picked up: "voicemail" alone is none ("I got your
voicemail"), nor is "leave a message" (a colleague offers to take one).
"""

from __future__ import annotations

import re

_PHRASES = (
    # English
    "after the tone",
    "after the beep",
    "at the tone",
    "after the signal",
    "leave your message",
    "record your message",
    "leave your name and number",
    "reached the voicemail",
    "reached the voice mail",
    "forwarded to voicemail",
    "forwarded to voice mail",
    "forwarded to an automated",
    "voice mailbox",
    "voicemail box",
    "mailbox is full",
    "person you are calling",
    "person you are trying to reach",
    "person you have called",
    "subscriber you",
    "number you have dialed",
    "number you have dialled",
    "number you are calling",
    "number you are trying to reach",
    "currently switched off",
    "press one",
    "press two",
    "press 1",
    "press 2",
    "press hash",
    "press pound",
    "press the star",
    "for english press",
    # Hindi
    "टोन के बाद",
    "बीप के बाद",
    "संदेश छोड़ें",
    "संदेश रिकॉर्ड",
    "डायल किया गया",
    "जिस व्यक्ति को",
    "जिस व्यक्ति से",
    "जिस नंबर पर",
    "जिस उपभोक्ता",
    "एक दबाएं",
    "एक दबाएँ",
    "दो दबाएं",
    "दो दबाएँ",
    "1 दबाएं",
    "1 दबाएँ",
    "tone ke baad",
    "beep ke baad",
    "sandesh chhode",
    "sandesh chhoden",
    "dial kiya gaya",
    "jis vyakti se",
    "jis vyakti ko",
    "ek dabaye",
    "ek dabayein",
)

_NO_WORD = re.compile(r"[^\w\u0900-\u0d7f]+")
"""White space and punctuation. Python's ``\\w`` leaves out the vowel signs of Indian scripts."""


def says_machine(text: str) -> bool:
    """Whether a machine's phrase stands in this text."""
    plain = _plain(text)
    return any(phrase in plain for phrase in _PLAIN_PHRASES)


def _plain(text: str) -> str:
    return f" {_NO_WORD.sub(' ', text.casefold().replace('।', ' ')).strip()} "


_PLAIN_PHRASES = tuple(_plain(phrase) for phrase in _PHRASES)
