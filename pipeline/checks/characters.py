"""Characters that hide something: invisible ones inside words, and letters that only look like others.

A soft hyphen or a zero-width joiner inside "seven", or a Cyrillic letter in "faster", would pass every other check and
read as before. Emoji and scripts that join with such characters keep them: only beside a Latin letter or a digit do
they hide something.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from pipeline.checks.subject import Subject
from pipeline.finding import Finding

INVISIBLE = re.compile(
    "(?<=[A-Za-z0-9])[\u00ad\u180e\u200b-\u200d\u2060-\u2064\ufeff\ufe00-\ufe0f\u034f\u115f\u1160]"
    "|[\u00ad\u180e\u200b-\u200d\u2060-\u2064\ufeff\u034f](?=[A-Za-z0-9])"
    "|[\u200e\u200f\u202a-\u202e\u2066-\u2069]|[\U000e0000-\U000e007f]"
)
# Cyrillic and the Greek letters that are drawn like Latin ones, beside a Latin letter in one word.
LIKE = "\u0400-\u052f\u0391\u0392\u0395-\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf\u03bd\u03f2"
MIXED = re.compile(rf"[A-Za-z]+[{LIKE}]+\w*|[{LIKE}]+[A-Za-z]+\w*")
# Letters and digits of mathematical alphabets, full width and small capitals: words in disguise.
STYLED = re.compile("[\U0001d400-\U0001d7ff\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]+")
FIX = "type the word again with plain letters"


def check(subject: Subject) -> Iterator[Finding]:
    """Hiding characters in the draft's prose and in what the front matter says to the reader."""
    for prose in (*subject.prose(), *subject.properties()):
        for pattern, what in (
            (INVISIBLE, "an invisible character"),
            (MIXED, "letters of two alphabets"),
            (STYLED, "disguised letters"),
        ):
            for match in pattern.finditer(prose.text):
                name = unicodedata.name(match[0][0], "unnamed") if pattern is INVISIBLE else match[0]
                message = f"{what} in a word: {name}"
                yield subject.report("hidden-character", "error", prose, match.start(), message, FIX)
