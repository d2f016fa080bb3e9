"""Whether the values named in a claim's words stand where they belong.

- *Belonging*: what the claim compares, what the study's own words name, what is derived from that, and a parameter that
  the words beside it describe ("at {val}`a` tokens"). No value is said more often than the study says it.
- *Unit*: "{val}`a` bytes" says bytes where the claim has a value in bytes, so the one named there has to be one too.
- *Place*: two values of a claim keep the order in which the study's own words (its `says` or `plain`, whichever the
  sentence is nearer to) name them. Another order is right where the words beside each value tell which is which
  ("DPO leaves {val}`a`, the reference {val}`b`"), or where a comparative between them agrees with the recorded values.
  Where neither shows it nobody could tell the two apart, and the sentence has to be put in the study's order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import combinations

from experiments.kit.record import SYMBOL_UNITS, Claim, Fact
from pipeline.checks.about_run import Vocabulary
from pipeline.checks.directions import KEY_IN, VALUE, against_values, frame_of, likeness

STOP = re.compile(r"[.!?;:](?=\s|$)")
# Where the words that belong to one value end and those of the next begin.
CUT = re.compile(r"[,;:.!?](?=\s|$)|\b(?:and|but|or|while|where|whereas|against|than|after|before|when|if|to|from)\b")
CLAUSE = ("when", "where", "while", "whereas", "if", "after", "before")
COMMON = frozenset(
    "the and for are was were its their with that this than from into which what has have had each of to in on at "
    "by as is it an be or so if no we my us they them there here one".split()
)


def value_out_of_place(said: str, claim: Claim, facts: Mapping[str, Fact], words: Vocabulary) -> str:
    """Why a value named in a claim's words does not belong there, or ''."""
    places = [place for place in re.finditer(KEY_IN, said) if place[1] in facts]
    own = [(text, re.findall(KEY_IN, text)) for text in (claim.says, claim.plain) if text]
    known = {*claim.of, *(key for _, keys in own for key in keys)}
    for place in places:
        if place[1] not in known and not _belongs(said, place, claim, known, facts):
            return f"{place[1]} is none of the values this claim is about"
    mine = [place[1] for place in places]
    frame = frame_of(said)
    for text, keys in own:
        its = frame_of(text).strip(" .")
        if its and its in frame:
            skipped = frame[: frame.index(its)].count(VALUE)
            here = mine[skipped : skipped + len(keys)]
            moved = next((pair for pair in zip(keys, here, strict=False) if pair[0] != pair[1]), None)
            if moved:
                return f"the study says {moved[0]} where these words say {moved[1]}"
            if len(keys) == len(mine):
                return ""  # the study's own sentence
    for key in dict.fromkeys(mine):
        described = all(_beside(said, p) & _names(facts[key], claim) for p in places if p[1] == key)
        if not described and mine.count(key) > max([1, *(keys.count(key) for _, keys in own)]):
            return f"{key} is said {mine.count(key)} times"
    return _other_unit(said, places, known, facts) or _out_of_order(said, places, claim, facts, words)


def _belongs(said: str, place: re.Match[str], claim: Claim, known: set[str], facts: Mapping[str, Fact]) -> bool:
    """Whether a value that neither the claim nor the study's words name is a described parameter or derived."""
    fact = facts[place[1]]
    if fact.kind == "parameter":
        return bool(_beside(said, place) & _names(fact, claim))
    return bool(set(fact.of) & known) or any(fact.key in facts[key].of for key in known if key in facts)


def _other_unit(said: str, places: Sequence[re.Match[str]], known: set[str], facts: Mapping[str, Fact]) -> str:
    """Why the word after a value is another value's unit, or ''."""
    units = {word for key in known if key in facts for word in _words(facts[key].unit)}
    for place in places:
        fact, following = facts[place[1]], _following(said, place)
        # "3 ms tokens" is never said; "12 tokens" may be, of what its description counts in tokens.
        its = _words(fact.unit if fact.unit in SYMBOL_UNITS else f"{fact.unit} {fact.description}")
        if following in units - its:
            return f"{fact.key} is in {fact.unit}, not in {following}"
    return ""


def _out_of_order(
    said: str, places: Sequence[re.Match[str]], claim: Claim, facts: Mapping[str, Fact], words: Vocabulary
) -> str:
    """Why two values of one claim may have changed places, or ''."""
    nearest = sorted((claim.says, claim.plain), key=lambda text: -likeness(text, said))
    own = [re.findall(KEY_IN, text) for text in nearest]
    for one, other in combinations(places, 2):
        a, b = facts[one[1]], facts[other[1]]
        if a.key == b.key:
            continue
        beside = _told_apart(said, one, other, a, b, claim)
        if beside > 0:
            continue
        if beside < 0:
            return f"the words beside {a.key} and {b.key} are each other's"
        order = next((found for keys in own if (found := _order(keys, a.key, b.key))), 0)
        if order > 0:
            continue
        if against_values(said[: other.end()], facts, words) is None:
            return f"nothing in these words tells {a.key} from {b.key}, and the study names them in another order"
    return ""


def _order(keys: Sequence[str], a: str, b: str) -> int:
    """1 where a text names the first key before the second, -1 where only after it, 0 where it lacks one."""
    if a not in keys or b not in keys:
        return 0
    last = len(keys) - 1 - list(reversed(keys)).index(b)
    return 1 if keys.index(a) < last else -1


def _told_apart(said: str, one: re.Match[str], other: re.Match[str], a: Fact, b: Fact, claim: Claim) -> int:
    """1 where the words beside two values are their own, -1 where they are each other's, 0 where they do not say."""
    if a.unit != b.unit and (_counted(said, one, a, b) or _counted(said, other, b, a)):
        return 1
    here, there = _beside(said, one), _beside(said, other)
    here, there = here - there, there - here
    names = _names(a, claim), _names(b, claim)
    mine, theirs = names[0] - names[1], names[1] - names[0]
    right = len(here & mine) + len(there & theirs)
    wrong = len(here & theirs) + len(there & mine)
    return (right > wrong) - (right < wrong)


def _counted(said: str, place: re.Match[str], its: Fact, others: Fact) -> bool:
    """Whether the word after a value is its own unit and not the other's: "{val}`a` tokens"."""
    return _following(said, place) in _words(its.unit) - _words(others.unit)


def _following(said: str, place: re.Match[str]) -> str:
    """The word after a value; '' where something else follows."""
    following = re.match(r"\s+([a-z]+)", said[place.end() :])
    return following[1] if following else ""


def _names(fact: Fact, claim: Claim) -> set[str]:
    """The words a value is known by: its description, unit and key, and what stands beside it in the study's words."""
    found = _words(f"{fact.description} {fact.unit} {' '.join(re.split(r'[._]', fact.key))}")
    for text in (claim.says, claim.plain):
        for place in re.finditer(KEY_IN, text):
            if place[1] == fact.key:
                found |= _beside(text, place)
    return found


def _beside(text: str, place: re.Match[str]) -> set[str]:
    """The words that belong to a value: those before it, back to the sentence's start or to the end of what belongs to
    the value before it, and those after it, up to the first cut or to the next value."""
    before = list(re.finditer(KEY_IN, text[: place.start()]))
    begin = before[-1].end() if before else 0
    if before:
        begin = _cut(text, begin, place.start())[1]
    begin = max([begin, *(m.end() for m in STOP.finditer(text, begin, place.start()))])
    after = re.search(KEY_IN, text[place.end() :])
    end = place.end() + after.start() if after else len(text)
    return _words(text[begin : place.start()] + " " + text[place.end() : _cut(text, place.end(), end)[0]])


def _cut(text: str, begin: int, end: int) -> tuple[int, int]:
    """Where between two values the words of the first end, and where those of the second begin. Without a cut they
    belong to both."""
    cuts = list(CUT.finditer(text, begin, end))
    # "10 s when each has its own, 5 s when all share one", but "10 s where the other takes 5 s"
    of_first = cuts and cuts[0][0] in CLAUSE and not text[begin : cuts[0].start()].strip()
    if of_first and (len(cuts) > 1 or end == len(text)):
        del cuts[0]
    return cuts[0].span() if cuts else (end, begin)


def _words(text: str) -> set[str]:
    return {w for w in re.findall(r"[a-z]{2,}\d*|\d[\d,]*", text.lower()) if w not in COMMON}
