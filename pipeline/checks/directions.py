"""Whether the words of a claim point the way its facts do.

Decided, in this order, where

- two values are set against each other ("faster: {val}`a` against {val}`b`", "{val}`a`, less than {val}`b`", "rises
  from {val}`a` to {val}`b`"): the recorded values say which is greater, `better` says which is faster or better;
- the words name the claim's two facts, told apart by their descriptions ("policy iteration is slower than …"); where
  the draft asked for the claim, so that no study says it, the sentence's subject is enough ("policy iteration
  {claim}`fewer|needs fewer sweeps`");
- the words are those of the study with a comparative turned into its opposite;
- the operator says that values agree (`within`) and the words say that one is "faster than" the other.

Negated, mixed or unresolved comparatives are not decided.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from functools import cache
from itertools import pairwise

from experiments.kit.record import Claim, Fact
from pipeline.checks.about_run import Vocabulary, any_of

COMPARATIVE = (
    "fewer higher larger bigger greater longer lower smaller shorter faster quicker sooner earlier slower better "
    "stronger worse weaker poorer easier harder cheaper costlier dearer safer riskier smoother noisier rougher tighter "
    "narrower looser wider steeper sharper flatter closer nearer farther further richer leaner simpler deeper "
    "shallower calmer cleaner stabler steadier lighter heavier smarter cleverer bolder rarer finer coarser"
)
# Two opposite families a line; those that have a direction are in `AMOUNT`, `SPEED` and `QUALITY` below.
OPPOSITES: tuple[tuple[str, str], ...] = (
    ("more greater higher larger bigger longer", "fewer less lower smaller shorter"),
    ("most greatest highest largest biggest longest", "fewest least lowest smallest shortest"),
    ("faster quicker sooner earlier", "slower later"),
    ("fastest quickest soonest earliest", "slowest latest"),
    ("better stronger", "worse weaker poorer"),
    ("best strongest", "worst weakest poorest"),
    ("easier", "harder"), ("easiest", "hardest"), ("cheaper", "costlier dearer"), ("cheapest", "costliest dearest"),
    ("safer", "riskier"), ("safest", "riskiest"), ("smoother", "noisier rougher"), ("smoothest", "noisiest roughest"),
    ("tighter narrower", "looser wider"), ("steeper sharper", "flatter"), ("closer nearer", "farther further"),
    ("closest nearest", "farthest furthest"), ("richer", "leaner"), ("simpler", "harder"),
    ("early quick fast", "late slow"), ("above", "below"), ("ahead", "behind"), ("before", "after"),
    ("rises rise rose raises raise raised increases increase increased grows grow grew climbs lengthens",
     "falls fall fell lowers lower lowered decreases decrease decreased shrinks shrink shrank drops shortens"),
    ("improves improve improved", "worsens worsen worsened"),
    ("beats beat wins win won outperforms outperform", "loses lose lost trails lags underperforms"),
    ("saves save saved", "wastes waste wasted costs cost"), ("much", "little"), ("many", "few"),
    ("gain gains", "loss losses"), ("always", "never"),
)  # fmt: skip
AMOUNT = {**dict.fromkeys("more greater higher larger bigger longer".split(), 1),
          **dict.fromkeys("fewer less lower smaller shorter".split(), -1)}  # fmt: skip
# +1: the better value of a fact whose `better` is known.
SPEED = {**dict.fromkeys("faster quicker sooner earlier".split(), 1), **dict.fromkeys("slower later".split(), -1)}
QUALITY = {**dict.fromkeys("better beats outperforms wins cheaper".split(), 1),
           **dict.fromkeys("worse loses lags trails costlier underperforms".split(), -1)}  # fmt: skip
UP = any_of("raises raise raised rises rise rose increases increase increased grows grow grew climbs climbed lengthens "
          "lengthened lifts lifted improves improved more higher longer larger")  # fmt: skip
DOWN = any_of("lowers lower lowered falls fall fell drops drop dropped decreases decrease decreased shrinks "
              "shrink shrank reduces reduce reduced shortens shortened cuts cut fewer "
              "less shorter smaller")  # fmt: skip
OWN_WORDS, OWN_CLAUSE = 4, 7  # shorter ones are said by chance
TOKEN = r"\{val\}`+[^`]*`+|[\w'’]+"
KEY_IN = r"\{val\}`{1,2}([\w./]+)(?:\|unit)?`{1,2}"
VALUE = "\0"  # stands for a value in a frame: nobody types it
VAL = r"\{val\}`{1,2}(?P<%s>[\w./]+)(?:\|unit)?`{1,2}"
# At most four plain words, so the second value is what the first is set against.
AGAINST = re.compile(
    VAL
    % "a"
    + r"(?:\s+\w+){0,3},?\s+(?:against|instead\s+of|rather\s+than|versus|vs\.?|compared\s+(?:with|to)|not|than)"
    r"(?:\s+(?:only|about|the|some|a|just|nearly|almost)){0,2}\s+" + VAL % "b",
)
THAN = re.compile(
    VAL % "a" + r"[^{}]*?\b(?P<word>" + "|".join(AMOUNT) + r")\b[^{}.]{0,20}?\bthan\b[^{}.]{0,24}?" + VAL % "b"
)
FROM_TO = re.compile(r"\bfrom\s+(?:about\s+)?" + VAL % "a" + r"(?:\s+\w+){0,3}\s+to\s+(?:about\s+)?" + VAL % "b")
DOWN_TO = re.compile(VAL % "a" + r"(?:\s+\w+){0,3}\s+(?P<way>up|down)\s+to\s+(?:(?:about|only)\s+)?" + VAL % "b")
# "More effort brings the estimate nearer: from …": what is done, not what the values do.
SUBJECT = re.compile(r"^\W*(?:" + "|".join(AMOUNT) + r")\s+\w+\s+(?=\w)", re.IGNORECASE)
# Said of the first value after both: "{val}`a` against {val}`b`, higher on every seed".
ADDED = re.compile(
    r"(?:\s+\w+){0,3},\s+(?:which is\s+)?(" + "|".join([*AMOUNT, *SPEED, *QUALITY]) + r")\s+(?:on|in|for|with|at)\b"
)
NEGATED = re.compile(r"\b(?:not|no|never|hardly|neither|nor|without|n't|nothing|barely|nobody)\b", re.IGNORECASE)
BY_CASE = re.compile(r"\b(?:with|at|for|under|on|in|of|by|when|if|although|despite|every|each)\s+(?:an?\s+|the\s+|"
                     r"much\s+|far\s+|even\s+|its\s+|their\s+)*$", re.IGNORECASE)  # fmt: skip


def against_direction(said: str, claim: Claim, facts: Mapping[str, Fact], words: Vocabulary, before: str = "") -> str:
    """Why the words of a claim that holds run against its facts, or '' where they agree or it cannot be decided.

    `before` is what the sentence says before the claim: its subject, where a draft asked for the claim.
    """
    decided = against_values(said, facts, words)
    if decided is None:
        decided = _by_names(said, claim, facts, words, "" if claim.says else before)
    if decided:
        return decided
    # Where the values decided, only the study's very sentence shows that another of its words was turned.
    inverted = _inverted(said, claim, 0.7 if decided is None else 0.92)
    if inverted or decided is not None:
        return inverted
    turned = _turned_phrase(said, claim)
    if turned:
        return turned
    than = re.search(rf"(?<!no )\b({any_of(COMPARATIVE)})\s+than\b", _masked(said), re.IGNORECASE)
    if claim.op == "within" and than and not NEGATED.search(said):
        return f'the words say "{than[0]}", the claim only that the values agree within {claim.bound:g}'
    return ""


def claim_said_by(text: str, claims: Mapping[str, Claim]) -> str:
    """The claim whose own words, or a long clause of them, a text holds, whatever values it names; '' for none."""
    frame = frame_of(text)
    if len(frame.split()) < OWN_WORDS:
        return ""
    for key, claim in claims.items():
        for words in (claim.says, claim.plain) if "/" not in key else ():
            if any(own in frame for own in _telling(words)):
                return key
    return ""


@cache
def _telling(words: str) -> tuple[str, ...]:
    """A claim's own words and its long clauses, as far as they are long enough to be known by."""
    own = frame_of(words).strip(" .")
    clauses = (part.strip(" .") for part in re.split(r"[.:;] ", own))
    whole = (own,) if len(own.split()) >= OWN_WORDS else ()
    return (*whole, *(part for part in clauses if len(part.split()) >= OWN_CLAUSE))


def frame_of(said: str) -> str:
    """The words, with `VALUE` for each of their values."""
    return " ".join(re.sub(KEY_IN, VALUE, said).lower().split())


def _masked(said: str) -> str:
    """The words with roles blanked out."""
    return re.sub(r"\{\w+\}`{1,2}[^`]*`{1,2}", lambda m: " " * len(m[0]), said)


def _signs(text: str, fact: Fact, words: Vocabulary) -> set[tuple[str, int]]:
    """(word, sign) of the comparatives in a stretch: +1 where it says that the value described is the greater one."""
    found = set()
    hidden = words.naming.sub(lambda m: " " * len(m[0]), text)
    better = {"higher": 1, "lower": -1}.get(fact.better, 0)
    for match in re.finditer(rf"\b(?:{'|'.join([*AMOUNT, *SPEED, *QUALITY])})\b", hidden, re.IGNORECASE):
        word = match[0].lower()
        if BY_CASE.search(hidden[: match.start()]):
            continue  # a condition, not what is said of the value: "with fewer states", "at every larger discount"
        after = re.match(r"\s*(\w+)?", hidden[match.end() :])
        following = (after[1] or "").lower() if after else ""
        if word in ("more", "less") and re.search(r"(?:ly|ive|able|ous|ful|al|ent|ant|ic|ed|y)$", following):
            if following not in ("quickly", "slowly"):
                found.add((word, 0))  # "more stable": which way that is, nobody recorded
                continue
            found.add((f"{word} {following}", better * (1 if (word == "more") == (following == "quickly") else -1)))
        elif word in AMOUNT:
            found.add((word, AMOUNT[word]))
        else:
            found.add((word, better * (SPEED | QUALITY)[word]))
    return found


def _sentence_around(said: str, start: int) -> tuple[int, int]:
    begin = max((m.end() for m in re.finditer(r"[.!?;](?=\s)", said[:start])), default=0)
    end = re.search(r"[.!?;](?=\s|$)", said[start:])
    return begin, start + end.start() if end else len(said)


def against_values(said: str, facts: Mapping[str, Fact], words: Vocabulary) -> str | None:
    """Two values set against each other. None where nothing is decided."""
    decided: str | None = None
    for match in THAN.finditer(said):
        a, b = facts.get(match["a"]), facts.get(match["b"])
        if a and b and a.unit == b.unit and not NEGATED.search(_masked(match[0])):
            decided = _judge({(match["word"].lower(), AMOUNT[match["word"].lower()])}, a, b)
            if decided:
                return decided
    for match in AGAINST.finditer(said):
        a, b = facts.get(match["a"]), facts.get(match["b"])
        begin, end = _sentence_around(said, match.start())
        added = ADDED.match(_masked(said[match.end() : end]))
        stretch = added[1] if added else _masked(said[begin : match.start()])
        if a and b and a.unit == b.unit and "{val}" not in said[begin : match.start()] and not NEGATED.search(stretch):
            verdict = _judge(_signs(stretch, a, words), a, b)
            decided = verdict if verdict is not None else decided
            if verdict:
                return verdict
    for match in DOWN_TO.finditer(said):
        a, b = facts.get(match["a"]), facts.get(match["b"])
        if a and b and a.unit == b.unit:
            decided = _judge({(match["way"], -1 if match["way"] == "up" else 1)}, a, b)
            if decided:
                return decided
    for match in FROM_TO.finditer(said):
        a, b = facts.get(match["a"]), facts.get(match["b"])
        begin, _ = _sentence_around(said, match.start())
        stretch = words.naming.sub(" ", _masked(said[begin : match.start()]))
        stretch = SUBJECT.sub("", stretch)
        up = re.findall(rf"\b(?:{UP})\b", stretch, re.IGNORECASE)
        down = re.findall(rf"\b(?:{DOWN})\b", stretch, re.IGNORECASE)
        if a and b and a.unit == b.unit and bool(up) != bool(down) and not NEGATED.search(stretch):
            verdict = _judge({((up or down)[-1], 1 if up else -1)}, b, a)
            decided = verdict if verdict is not None else decided
            if verdict:
                return verdict
    return decided


def _judge(signs: set[tuple[str, int]], a: Fact, b: Fact) -> str | None:
    """Whether comparatives said of `a` against `b` fit their values: '' yes, words no, None not decided."""
    directions = {sign for _, sign in signs}
    if len(directions) != 1 or 0 in directions:
        return None
    sign = directions.pop()
    word = sorted(signs)[0][0]
    if sign * (a.value - b.value) > 0:
        return ""
    return f'"{word}" is said of {a.key} = {a.value:.6g} against {b.key} = {b.value:.6g}'


def _tokens(fact: Fact) -> set[str]:
    return set(re.findall(r"[a-z]{3,}", fact.description.lower()))


def _by_names(said: str, claim: Claim, facts: Mapping[str, Fact], words: Vocabulary, before: str = "") -> str | None:
    """Comparatives whose two sides the words name: "policy iteration is slower than value iteration". A claim without
    words of its own may name one side only, as the subject."""
    if len(claim.of) != 2 or any(key not in facts for key in claim.of):
        return None
    a, b = (facts[key] for key in claim.of)
    mine, theirs = _tokens(a) - _tokens(b), _tokens(b) - _tokens(a)
    if a.unit != b.unit or not mine or not theirs:
        return None
    decided: str | None = None
    for begin, end in _sentences(said):
        text = _masked(said[begin:end])
        if NEGATED.search(text):
            continue
        signs = list(re.finditer(rf"\b(?:{'|'.join([*AMOUNT, *SPEED, *QUALITY])})\b", text, re.IGNORECASE))
        if len(signs) != 1:
            continue
        left, right = text[: signs[0].start()], text[signs[0].end() :]
        left = left if begin else f"{_masked(before)} {left}"
        counted = right if signs[0][0].lower() not in AMOUNT else re.sub(r"^\s*\w+", "", right, count=1)
        sides = [_side(left, mine, theirs), _side(counted, mine, theirs)]
        than = re.search(r"\bthan\b", right, re.IGNORECASE)
        alone = not claim.says and not than and sides[0] and not sides[1] and not NEGATED.search(left)
        if not alone and (not than or sides not in (["a", "b"], ["b", "a"])):
            continue
        if signs[0][0].lower() in AMOUNT and not (_measures(right, a) or _measures(right, b)):
            continue
        subject, other = (a, b) if sides[0] == "a" else (b, a)
        verdict = _judge(_signs(text, subject, words), subject, other)
        decided = verdict if verdict is not None else decided
        if verdict:
            return verdict
    return decided


def _measures(after: str, fact: Fact) -> bool:
    """Whether "more" counts the fact's own unit or quantity: "more sweeps than", not "more rewards than"."""
    named = re.match(r"\s*(\w+)?", after)
    word = (named[1] or "").lower() if named else ""
    return word == "than" or word.rstrip("s") in {token.rstrip("s") for token in {fact.unit.lower(), *_tokens(fact)}}


def _sentences(said: str) -> list[tuple[int, int]]:
    ends = [m.start() + 1 for m in re.finditer(r"[.!?;](?=\s|$)", said)]
    bounds = [0, *ends, len(said)]
    return [(x, y) for x, y in pairwise(bounds) if y > x]


def _side(text: str, mine: set[str], theirs: set[str]) -> str:
    """`a` or `b` where only that fact's own words occur in a stretch, '' otherwise."""
    present = set(re.findall(r"[a-z]{3,}", text.lower()))
    return "" if bool(present & mine) == bool(present & theirs) else "a" if present & mine else "b"


_OPPOSITE: dict[str, set[str]] = {}
for _left, _right in OPPOSITES:
    for _one, _other in ((_left, _right), (_right, _left)):
        for _word in _one.split():
            _OPPOSITE.setdefault(_word, set()).update(_other.split())


def _inverted(said: str, claim: Claim, alike: float) -> str:
    """The study's own words with a comparative turned into its opposite. '' where the words differ otherwise."""
    own = [tokens for words in (claim.says, claim.plain) for tokens in _clauses(words)]
    for mine in _clauses(said) if own else ():
        lower = [token.lower() for token in mine]
        matchers = [(SequenceMatcher(None, [t.lower() for t in o], lower, autojunk=False), o) for o in own]
        near = [pair for pair in matchers if pair[0].quick_ratio() >= alike]  # an upper bound, and much cheaper
        matcher, theirs = max(near, key=lambda pair: pair[0].ratio(), default=matchers[0])
        if not near or matcher.ratio() < alike:
            continue
        turned = [
            (theirs[i], mine[j])
            for tag, i1, i2, j1, j2 in matcher.get_opcodes()
            if tag == "replace" and i2 - i1 == j2 - j1
            for i, j in zip(range(i1, i2), range(j1, j2), strict=True)
            if lower[j] in _OPPOSITE.get(theirs[i].lower(), ())
        ]
        # Two turned words may say the same again ("A is faster than B", "B is slower than A"): that needs moved sides.
        if turned and not _moved(theirs, mine):
            return f'the study says "{turned[0][0]}", these words say "{turned[0][1]}"'
    return ""


def _turned_phrase(said: str, claim: Claim) -> str:
    """A comparative with the word it belongs to ("less likely") that these words turn round ("more likely"), or a
    superlative, where the study says the same at greater length or more freely. '' where they may have exchanged sides.
    """
    mine = _phrases(said)
    own = [words for words in (claim.says, claim.plain) if words]
    known = set().union(*map(_phrases, own)) if own else set()
    for words in own:
        shared, moved = likeness(words, said), _moved(re.findall(TOKEN, words), re.findall(TOKEN, said))
        negated = len(NEGATED.findall(_masked(said))) != len(NEGATED.findall(_masked(words)))
        than = re.search(r"\bthan\b", said, re.IGNORECASE) is not None
        for word, following in sorted(_phrases(words) - mine):
            # A comparative may be turned where sides or a negation moved; a superlative alone speaks of one side.
            alone = not following and shared >= 1 / 2
            if not alone and (moved or negated or shared < (1 / 2 if than else 1 / 3)):
                continue
            for opposite in sorted(_OPPOSITE[word]):
                if (opposite, following) in mine - known:
                    said_there, said_here = f"{word} {following}".strip(), f"{opposite} {following}".strip()
                    return f'the study says "{said_there}", these words say "{said_here}"'
    return ""


def _phrases(words: str) -> set[tuple[str, str]]:
    """Each comparative of a text with the word after it; superlatives also alone."""
    tokens = [token.lower() for token in re.findall(TOKEN, words)]
    found = {(token, following) for token, following in pairwise(tokens) if token in _OPPOSITE}
    return found | {(token, "") for token in tokens if token in _OPPOSITE and token.endswith("st")}


def likeness(theirs: str, mine: str) -> float:
    """The share of a text's words that another has too."""
    ours, others = ({token.lower() for token in re.findall(TOKEN, words)} for words in (mine, theirs))
    return len(ours & others) / max(1, len(ours))


def _clauses(words: str) -> list[list[str]]:
    """The tokens of a text, and of each clause of some length where it has more than one."""
    whole = re.findall(TOKEN, words)
    parts = [re.findall(TOKEN, part) for part in re.split(r"[.:;](?=\s|$)", words)]
    parts = [part for part in parts if len(part) >= OWN_WORDS]
    return [whole, *parts] if len(parts) > 1 else [whole]


def _moved(theirs: Sequence[str], mine: Sequence[str]) -> bool:
    """Whether the words both texts share stand in another order: then a turned comparative may be right."""
    left, right = [t.lower() for t in theirs], [t.lower() for t in mine]
    shared = [t for t in left if len(t) > 3 and left.count(t) == right.count(t) == 1]
    after = sorted(shared, key=right.index)
    return shared != after
