"""Numbers typed into prose. A value belongs in a role; what may stand as it is, is listed here with its reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from pipeline.checks.about_run import prose_of, speaks_about_run, vocabulary
from pipeline.checks.subject import Subject
from pipeline.finding import Finding
from pipeline.markdown import parse

# What digits may say outside a role, and why.
ALLOWED: tuple[tuple[str, str], ...] = (
    (r"\b(?:1[89]|20)\d\d(?:s\b|\b)", "a year is no result"),
    (r"\b(?:Python|version|v)\s?\d+(?:\.\d+)*\b", "a version names software"),
    (r"\b(?:chapter|ch\.|section|sec\.|§|part|lecture|week|session|exercise|equation|eq\.|theorem|lemma|figure|table|"
     r"example|step|algorithm|page|p\.|pp\.)\s?\d+(?:[.–-]\d+)*\b", "a number that points into a text"),
    (r"\b[A-Za-z][A-Za-z]*[-+*]?\d+[A-Za-z\d]*\b(?![.,]\d)", "a digit inside a name, such as GPT-2 or A2C"),
)  # fmt: skip
# Digits of every script and their raised, lowered, circled and fractional forms, and Roman numerals as one character.
NUMERALS = "²³¹¼-¾⁰⁴-⁹₀-₉⅐-ↈ①-⒛⓪-⓿❶-➓㉈-㉏㉑-㉟㊱-㊿"
DIGITS = re.compile(
    rf"(?:[-+−±~≈<>]\s?)?\d[\d.,]*(?:\s?(?:%|‰|×|x\b|[eE][-+]?\d+))?|[{NUMERALS}]+|\b[0-9]+(?:st|nd|rd|th)\b"
)
# A number and nothing else, in a code span or a formula: "`12`", "$\\approx 12\\%$", "`12 sweeps`".
BARE = re.compile(
    rf"\s*(?:[=<>≈~±]|\\(?:approx|sim|pm|le|ge|leq|geq|times)\b)*\s*[-+−]?[\d{NUMERALS}][\d.,{NUMERALS}]*\s*"
    r"(?:\\?%|×|\\times\b|x|ms|s|k|M)?(?:\s*(?:\\pm|±)\s*[\d.]+)?\s*(?:(?:\\text\{)?\s*[a-z]{3,}s?\}?)?\s*"
)

WORDS = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion dozen half"
).split()
UNITS = (
    "sweep iteration round update backup seed run episode step second minute hour day week millisecond percent "
    "percentage point state cell action token parameter layer head sample trial epoch batch gradient maze grid game "
    "time order win loss reward return mistake error"
).split()
ONES, TENS = "one|two|three|four|five|six|seven|eight|nine", "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
TENS_OF = "twenties|thirties|forties|fifties|sixties|seventies|eighties|nineties|hundreds|thousands|millions"
ROMAN = r"(?<![Tt]ype\s)(?<![Pp]art\s)(?<![Cc]hapter\s)(?<![Vv]olume\s)(?<![Pp]hase\s)"
ROMAN += r"\b(?=[IVXLCDM]{2})[XLCDM]*(?:IX|IV|V?I{0,3})\b"
SPELLED = re.compile(
    rf"\b(?:{TENS})[- ](?:{ONES})\b|\b(?:zero\s+|nought\s+)?point\s+(?:zero|{ONES})\b"
    rf"|\bfactors?\s+of\s+(?:about\s+|nearly\s+|almost\s+|over\s+)?(?:{'|'.join(WORDS)}|a\s+(?:hundred|thousand|dozen))\b"
    rf"|\b(?:a|one|two|several|many)\s+(?:scores?|dozens?|hundred|thousand|million|billion)\s+(?:of\s+)?(?:{'|'.join(UNITS)})s?\b"
    rf"|\bscores\s+of\s+(?:{'|'.join(UNITS)})s?\b|\b(?:{'|'.join(WORDS)}|one)\s+(?:in|out\s+of)\s+(?:every\s+)?"
    rf"(?:{'|'.join(WORDS)}|a\s+hundred)\b"
    rf"|\b(?:{'|'.join(WORDS)}|one)[- ]to[- ](?:{'|'.join(WORDS)}|one)\b"
    rf"|\ban?\s+(?:{'|'.join(UNITS)})\s+and\s+a\s+half\b|\bper\s+cent\b"
    rf"|\bthe\s+(?:(?:low|mid|high|upper|lower)[- ]?(?:tens|teens|{TENS_OF})|hundreds|thousands|millions)\b"
    rf"|\b(?:single|double|triple|{ONES})[- ](?:digits?|figures?)\b",
    re.IGNORECASE,
)
ROMAN_COUNT = re.compile(rf"{ROMAN}(?=\s+(?:{'|'.join(UNITS)})s?\b)")
NUMBER_WORD = re.compile(
    rf"\b(?:{'|'.join(WORDS)})(?:[ -](?:{'|'.join(WORDS)}))*(?:[ -]\w+)?[ -](?:{'|'.join(UNITS)})s?\b", re.IGNORECASE
)
MULTIPLIER = re.compile(
    r"\b(?:twice|thrice|doubl(?:e|es|ed|ing)|tripl(?:e|es|ed|ing)|quadrupl(?:e|es|ed|ing)|halv(?:e|es|ed|ing)|"
    r"\w+-?fold|\w+ times (?:as|more|fewer|less|faster|slower|larger|smaller|better|worse|cheaper|higher|lower|longer|"
    r"shorter)|half (?:as|the|of)|(?:an?|one|two|three) (?:third|quarter|fifth|sixth|eighth|tenth|hundredth)s?|"
    r"orders? of magnitude|(?:dozens|hundreds|thousands|millions) of)\b",
    re.IGNORECASE,
)
NOT_FOLD = {"fold", "unfold", "manifold", "blindfold", "scaffold", "enfold", "refold"}


FIX = "name the fact with {val}`key` (`forge facts` lists them), or put the words in a {claim}"


def check(subject: Subject) -> Iterator[Finding]:
    """Digits anywhere in prose, in published properties and posing as code or a formula; number words and multipliers
    outside claims; the same in captions of shown figures and in descriptions of values asked for. A study's own
    sentence on what it does not show may be repeated with the numbers it has ("32-bit numbers")."""
    for prose in (*subject.prose(), *subject.properties()):
        for start, text, what in typed_numbers(prose.text, in_claim=bool(prose.in_claim)):
            found = subject.report("typed-number", "error", prose, start, f"{what} typed into prose: {text}", FIX)
            if not subject.repeats_a_limit(found.sentence):
                yield found
    yield from _posing(subject)
    for key, figure in subject.rendered.figures.items():
        for words in (figure.caption, figure.plain, figure.alt):
            for text, what in _typed_into(words):
                file, line = (figure.place.file, figure.place.line) if figure.place else (None, None)
                message = f"{what} typed into the caption of figure {key}: {text}"
                yield Finding("typed-number", "error", message, file, line, fix="use {val}`key` there", key=key)
    for key, fact in subject.asked.facts.items():
        recorded = " ".join(subject.evidence.results.facts[of].description for of in fact.of)
        for _, text, what in typed_numbers(fact.description):
            if text not in recorded and fact.place is not None:
                message = f"{what} typed into the description of {key}: {text}"
                yield Finding("typed-number", "error", message, fact.place.file, fact.place.line, 1, fix=FIX, key=key)


def _posing(subject: Subject) -> Iterator[Finding]:
    """A bare number as code; as a formula, where its sentence counts something or speaks about a run."""
    words = vocabulary(subject.evidence)
    for sentence in subject.sentences:
        said = prose_of(sentence, subject.evidence.results.facts)[0]
        for span, after in pairwise((*sentence.spans, None)):
            if span is None or span.kind not in ("code", "math") or not BARE.fullmatch(str(span.data["content"])):
                continue
            counts = after is not None and re.match(rf"\s*(?:{'|'.join(UNITS)})s?\b", after.text)
            if span.kind == "code" or counts or speaks_about_run(said, "", words):
                message = f"a number posing as {'code' if span.kind == 'code' else 'a formula'}: {span.text}"
                yield subject.find("typed-number", "error", span.start, message, FIX)


@lru_cache(maxsize=1024)
def _typed_into(caption: str) -> tuple[tuple[str, str], ...]:
    """(text, kind) of each number typed into a study's Markdown."""
    spans = (span.text for span in parse(caption).spans if span.kind == "text")
    return tuple((text, what) for words in spans for _, text, what in typed_numbers(words, in_claim=True))


@lru_cache(maxsize=8192)
def typed_numbers(text: str, in_claim: bool = False) -> tuple[tuple[int, str, str], ...]:
    """(offset, text, kind) of each number typed into a piece of prose. Words are free inside a claim, digits never."""
    return tuple(_typed_numbers(text, in_claim))


def _typed_numbers(text: str, in_claim: bool) -> Iterator[tuple[int, str, str]]:
    masked = text
    for pattern, _ in ALLOWED:
        masked = re.sub(pattern, lambda m: " " * len(m[0]), masked, flags=re.IGNORECASE)
    for match in DIGITS.finditer(masked):
        yield match.start(), text[match.start() : match.end()].strip(), "number"
    for match in ROMAN_COUNT.finditer(text):
        yield match.start(), match[0], "number"
    if in_claim:
        return
    taken: set[int] = set()
    for pattern_, what in ((NUMBER_WORD, "number word"), (SPELLED, "number word"), (MULTIPLIER, "multiplier")):
        for match in pattern_.finditer(text):
            if match[0].lower() not in NOT_FOLD and not taken & set(range(*match.span())):
                taken |= set(range(*match.span()))
                yield match.start(), match[0], what
