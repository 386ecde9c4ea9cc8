"""What is meant for the eye alone: markdown, HTML, addresses of pages, emoji, control characters.

Right for every language: no word is put in and no number is touched. A text may be a piece of what
was written, so that a sign may lack its other half.
"""

from __future__ import annotations

import html
import re
import unicodedata

# The name of its language has no digit: a number that stands there would be lost.
_FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})(?:(?!\d)[\w+#-])*[ \t]*$", re.MULTILINE)
_DEFINITION = re.compile(r"^[ ]{0,3}\[[^\]\n]{1,80}\]:[ ]+\S.*$", re.MULTILINE)
_AUTOLINK = re.compile(
    r"<(?:mailto:)?((?:https?://[^\s<>]{1,500}|[^\s<>@]{1,64}@[^\s<>@]{1,200}))>", re.IGNORECASE
)
_BREAK = re.compile(r"</?(?:br|p|li|ul|ol|div|tr|h[1-6])\b[^<>]{0,300}>", re.IGNORECASE)
# A tag has attributes with a value, or none: "a <b and c> d" are words.
_TAG = re.compile(
    r"</?[A-Za-z][A-Za-z0-9:-]{0,30}(?:\s[^<>=]{1,60}=[^<>]{0,300})?\s?/?>|<!--.{0,500}?-->",
    re.DOTALL,
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,8});")
_LINK = re.compile(
    r"!?\[([^\[\]]{0,300})\](?:\([^()\n]{0,300}(?:\([^()\n]{0,100}\)[^()\n]{0,100})?\)|\[[^\[\]\n]{0,80}\])"
)
_PAGE = re.compile(
    r"\bhttps?://(?:[^\s/@<>]{1,100}@)?([^\s/?#<>()\[\]]{1,253})([^\s<>]*)", re.IGNORECASE
)
_PORT = re.compile(r":[0-9]{1,5}\Z")
_CLOSING = ".,;:!?)]।'\"”’*_"

_RULED = frozenset(" \t|:=*_-")
_QUOTE = re.compile(r"[ \t]*(?:>[ \t]?)+")
_HEADING = re.compile(r"[ \t]*#{1,6}[ \t]+(.*)")
_ITEM = re.compile(r"[ \t]*(?:[-*–•‣▪◦·][ \t]+(?:\[[ xX]\][ \t]+)?|([0-9]{1,3})[.)][ \t]+)(.*)")
_STOPS = ".,;:!?।॥…"
_CLOSERS = "'\")]”’*_ \t"

_MASK = re.compile(r"\*{4,}(?=[0-9])")
_PRODUCT = re.compile(r"(?<=[0-9])[ ]?\*[ ]?(?=[0-9])")
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+.!|>~-])")
_EMPHASIS = re.compile(r"\*+|`+|~~+|(?<!\w)_++(?=\w)|(?<=[^\W_])_++(?!\w)")
_SMILEY = re.compile(r"(?<!\S)[:;]-?[()DP](?!\w)")
_GAP = re.compile(r"\s+")
_BEFORE_STOP = re.compile(r" +(?=[,.!?;:।](?!\w))")


def without_markup(text: str, stop: str) -> str:
    """``text`` as it would be read from a printed page, in one line.

    Args:
        stop: Ends a heading, a list's item, a table's row and a paragraph that have no end of
            their own: spoken, they would run into the next.
    """
    text = _FENCE.sub("", text)
    text = _DEFINITION.sub("", text)
    text = _AUTOLINK.sub(r"\1", text)
    text = _TAG.sub("", _BREAK.sub("\n\n", text))
    text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
    text = _LINK.sub(r"\1", text)
    text = _PAGE.sub(_host, text)
    text = _in_one_line(text, stop)
    text = _PRODUCT.sub("×", _MASK.sub("XX", text))
    text = _EMPHASIS.sub("", _ESCAPED.sub(r"\1", text))
    return tidy(_without_pictures(_SMILEY.sub("", text)))


def _host(page: re.Match[str]) -> str:
    """A page is named by its host; punctuation behind it is the sentence's own."""
    host, rest = page[1], page[2]
    whole = host + rest
    end = whole[len(whole.rstrip(_CLOSING)) :]
    name = _PORT.sub("", host.rstrip(_CLOSING))
    return name.removeprefix("www.") + end


def _in_one_line(text: str, stop: str) -> str:
    lines: list[str] = []
    apart = False
    for line in text.splitlines():
        words, is_block = _line(line)
        if words:
            if lines and (apart or is_block) and not _is_ended(lines[-1]):
                lines[-1] += stop
            lines.append(words)
        apart = is_block
    return " ".join(lines)


def _is_ended(line: str) -> bool:
    return line.rstrip(_CLOSERS).endswith(tuple(_STOPS))


def _line(line: str) -> tuple[str, bool]:
    """The words of a line, and whether the next one stands apart from them."""
    if quoted := _QUOTE.match(line):
        line = line[quoted.end() :]
    if _RULED.issuperset(line):  # or empty
        return "", True
    if line.lstrip().startswith("|"):
        return ", ".join(cell for each in line.split("|") if (cell := each.strip())), True
    if heading := _HEADING.fullmatch(line):
        return heading[1].rstrip(" \t#"), True
    if item := _ITEM.fullmatch(line):
        number, words = item.groups()
        return (f"{number}. {words}" if number else words).strip(), True
    return line.strip(), False


def tidy(text: str) -> str:
    """One space between words and none before a stop."""
    return _BEFORE_STOP.sub("", _GAP.sub(" ", text)).strip()


_WRITTEN_OUT = str.maketrans({"℃": "°C", "℉": "°F", "№": "No. "})
_LONE_JOINER = re.compile(r"(?<![\u0600-\u0fff])[\u200c\u200d]+")


def _without_pictures(text: str) -> str:
    """Joiners stay between letters of Indian and Arabic scripts, which need them."""
    if text.isascii():
        return "".join(filter(_is_text, text))
    return _LONE_JOINER.sub("", "".join(filter(_is_text, text.translate(_WRITTEN_OUT))))


def _is_text(character: str) -> bool:
    code = ord(character)
    if code < 0x7F:
        return code >= 0x20 or character.isspace()
    if 0x0900 <= code <= 0x0DFF or character in "°\u200c\u200d":
        return True  # signs of Indian scripts are symbols to Unicode
    if 0x1F000 <= code <= 0x1FBFF or 0xFE00 <= code <= 0xFE0F or code == 0x20E3:
        return False
    return unicodedata.category(character) not in ("So", "Cs", "Co", "Cc", "Cf")
