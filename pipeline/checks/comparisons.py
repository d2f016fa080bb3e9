"""Comparisons about a run: they belong in a `{claim}`, where the program evaluates them, and must point its way.

- `loose-comparison`: a comparison outside a claim, in a sentence that speaks about a run (`about_run.py` says when).
  A comparison is a comparative or superlative of a closed list ("faster", "fewest", "more …"), an equative ("as good
  as"), or a verb that compares ("beats", "exceeds", "drops below", in the past tense also "improved", "fell"). What
  only names a thing ("the larger lake", "the best action", "at most") is none. A study's own limits may be repeated.
- `against-direction`: words of a claim that run against its facts (`directions.py` says where that is decided).
- `value-out-of-place`: a value in a claim's words that the claim is not about, two values swapped (`places.py`), or the
  words of another claim. The words a study wrote for a claim are also found where they stand outside of it.
- `needs-seeds`: "significantly", "consistently", "always" and "every seed" need a claim over at least three seeds, by
  `all_seeds` or `intervals_apart` or with an interval behind every value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from experiments.kit.record import Claim, Fact
from pipeline.checks.about_run import Vocabulary, any_of, is_past, prose_of, speaks_about_run, vocabulary
from pipeline.checks.directions import COMPARATIVE, against_direction, claim_said_by
from pipeline.checks.places import value_out_of_place
from pipeline.checks.subject import Subject
from pipeline.finding import Finding
from pipeline.render import key_and_rest

SUPERLATIVE = (
    "fewest greatest highest largest biggest longest lowest smallest shortest fastest quickest soonest earliest "
    "slowest strongest weakest poorest easiest hardest cheapest costliest safest riskiest smoothest noisiest closest "
    "nearest farthest furthest steepest sharpest flattest richest simplest steadiest"
)
# "best" and "worst" are terms of the theory ("the best action"); they compare as a predicate or before these.
JUDGED = "result score return run seed method algorithm agent model performer configuration setting variant curve of"
COMPARISONS = re.compile(
    rf"""\b(?:
      (?:{any_of(COMPARATIVE)}|{any_of(SUPERLATIVE)})\b
    | later\s+than\b
    | (?<!once\s)(?<!one\s)(?<!any\s)(?<!no\s)more\b(?!\s+or\s+less\b)
    | (?<!or\s)less\b
    | (?:the|did|was|were|does)\s+(?:most|least|best|worst)\b(?=\s*[.,;:!?]|\s*$|\s+(?:{any_of(JUDGED)})\b)
    | (?:is|was|were|are|performs?|does|fares?)\s+(?:the\s+)?(?:best|worst)\b
    | (?:best|worst)\s+(?:{any_of(JUDGED)})s?\b
    | most\s+\w+(?:ly|ive|able|ible|ous|ful|al|ent|ant|ic|ed)\b
    | as\s+(?!well\s|soon\s|long\s|far\s|if\b|a\s|the\s|much\s+as\s+possible)\w+\s+as\b
    | as\s+(?:many|much|few|little)\b
    | (?:perform|play|far|work|scor|di|do|doe)\w*\s+(?:\w+\s+)?as\s+well\s+as\b
    | (?:twice|half|thrice)\s+as\b
    | (?:dominat|trump|crush|top|prevail|outdistanc|outshin|outclass|overwhelm|thrash|trounc)(?:e?s|ed)\b
    | (?:wins|won)\b | the\s+(?:clear\s+)?(?:winner|loser|champion|front-?runner|leader)s?\b
    | (?:unrival|unmatch|unbeat|unsurpass|unequal)\w+ | second\s+to\s+none
    | (?:has|had|gains?|gave)\s+(?:the|an)\s+edge
    | (?:is|was|are|were|proved)\s+no\s+match | (?:leaves?|left)\s+\S+(?:\s+\S+){{0,3}}\s+(?:behind|in\s+the\s+dust)
    | head\s+and\s+shoulders | (?:comes?|came|ranks?|ranked|placed|finishe[sd])\s+(?:first|second|third|last)\b
    | (?:out(?:perform|pace|score|play|last|do)|surpass|exceed|beat|underperform|lag|trail|overtake|overtook)\w*\b
    | (?:wins?|won|loses?|lost)\s+(?:on|in|to|against|every|by|out|most|all|more|both|the)\b
    | (?:catch|catches|caught|keeps?|kept)\s+up\b
    | (?:on\s+(?:a\s+)?par|(?:level|tied|neck\s+and\s+neck)\s+with|superior|inferior|edges?\s+out|edged\s+out)\b
    | (?:drop|fall|sink|rise|climb|stay|remain|lie|sit|end|finish)(?:s|ped|ed)?\s+(?:\w+\s+)?
        (?:below|above|ahead|behind)\b
    | (?:fell|sank|rose|lay|sat|is|are|was|were|still)\s+(?:\w+\s+)?(?:below|above|ahead|behind)\b
    | (?:came|comes?|end(?:s|ed)?|finish(?:es|ed)?)\s+(?:out\s+|up\s+)?(?:ahead|behind|on\s+top|first|last)\b
    | (?:nothing|nobody|none|neither)\s+(?:else\s+)?(?:came|comes)\s+(?:anywhere\s+)?(?:close|near)\b
    | (?:helped|hurt|gained|saved)\s+(?:most|least)\b
    | hardly\s+(?:any|a)\s+(?:gap|difference)\b
    | (?:improved|improves|worsened|worsens|matched|dropped|fell|declined|decreased|increased|shrank|grew|rose|climbed
        |narrowed|widened|shortened|lengthened|lowered|raised|reduced|plummeted|soared|doubled|halved|speeds?\s+up|sped\s+up|slowed\s+down|saved|saves|overtaken)\b
    )""",
    re.IGNORECASE | re.VERBOSE,
)
# Said of the world's other methods: no run of ours shows it, a source may.
OF_ALL = re.compile(r"\bSOTA\b|\bstate[- ]of[- ]the[- ]art\b|\bbest[- ]in[- ]class\b|\bworld[- ]class\b"
                    r"|\b(?:record|benchmark)[- ]breaking\b", re.IGNORECASE)  # fmt: skip
NO_COMPARISON = re.compile(
    r"""\b(?:
      the\s+(?:quickest|best|easiest|shortest|fastest|simplest|clearest)\s+(?:way|place|reason|guide|cure)\b
    | (?:better|best)\s+(?:of|to|not|known|still|safe)\b
    | (?:at|the)\s+(?:very\s+)?(?:least|most|best|worst)\b(?=\s+(?:one|a|as|in|the|equal)\b)
    | no\s+(?:\w+er|more|less)\s+than\s+{val}
    | more\s+(?:or\s+less|precisely|exactly|generally|formally|and\s+more|on\s+that)\b
    | less\s+formally\b | once\s+more\b | what\s+is\s+more\b | so\s+much\s+the\s+\w+\b | sooner\s+or\s+later\b
    | it\s+is\s+(?:\w+er|(?:more|less)\s+\w+)\s+to\b | than\s+before\s+reading\b
    | (?:closer|deeper|harder|further)\s+(?:look|reading|details?|discussion)\b
    )""",
    re.IGNORECASE | re.VERBOSE,
)
NEEDS_SEEDS = re.compile(
    r"\b(?:statistically\s+)?significant(?:ly)?\b|\b(?:statistically|consistent(?:ly)?|reliabl[ey]|invariably|unfailingly"
    r"|systematically|reproducibl[ey]|always|without\s+(?:exception|fail))\b"
    r"|\b(?:every|all|each|any|any\s+of\s+the|across|across\s+all|in\s+all\s+(?:the|of\s+the|of\s+our))\s+"
    r"(?:the\s+|our\s+|single\s+|\w+\s+)?(?:random\s+)?(?:seeds?|runs?|repetitions?|repeats)\b"
    r"|\b(?:every|each)\s+(?:single\s+)?time\b(?=\s*[.,;]|\s*$)|\b(?:seed|run)\s+after\s+(?:seed|run)\b"
    r"|\b(?:regardless|independent)\s+of\s+the\s+(?:random\s+)?seed\b"
    r"|\bbeyond\s+chance\b|\bnot\s+(?:due\s+to|by|down\s+to)\s+chance\b",
    re.IGNORECASE,
)
SEED_RESULT = re.compile(
    r"\b(?:hold|holds|works?|fails?|succeeds?|converges?|agrees?|reach(?:es)?|wins?|shows?|is|are|beats?|needs?|lies|"
    r"ends?|improves?)\b",
    re.IGNORECASE,
)


def proves_over_seeds(claim: Claim, facts: Mapping[str, Fact]) -> bool:
    """Whether a claim may say "consistently": three or more seeds behind each measured fact, and intervals or pairs."""
    measured = [facts[key] for key in claim.of if key in facts and facts[key].kind != "parameter"]
    if not measured or any(fact.n < 3 for fact in measured):
        return False
    shown = ("all_seeds", "intervals_apart", "interval_above", "interval_below")
    return claim.op in shown or all(fact.interval is not None for fact in measured)


def check(subject: Subject) -> Iterator[Finding]:
    """Comparisons about a run outside claims, claims whose words run against their facts, and words that need seeds."""
    words = vocabulary(subject.evidence)
    facts, claims = subject.evidence.results.facts, subject.evidence.results.claims
    before, block, setting = "", -1, ""
    for sentence in subject.sentences:
        text, places = prose_of(sentence, facts)
        if sentence.block.index != block:
            block, before, setting = sentence.block.index, "", text
        if not subject.repeats_a_limit(text):
            yield from _loose(subject, text, places, before, setting, words)
        before = text
        for match in OF_ALL.finditer(text):
            if not any(s.kind == "role" and s.data["name"] in ("cite", "claim") for s in sentence.spans):
                message = f'a comparison with everybody\'s methods and no source: "{match[0]}"'
                fix = "cite who shows it with {cite}`key`, or take it out"
                yield subject.find("loose-comparison", "error", places[match.start()], message, fix)
        unbound = "".join(s.text for s in sentence.spans if s.kind != "role" or s.data["name"] != "claim")
        key = claim_said_by(unbound, claims)
        if key:
            message = f"the words of claim {key} stand outside it"
            fix = f"bind them: {{claim}}``{key}|words``"
            yield subject.find("loose-comparison", "error", sentence.start, message, fix, key)
    for prose in subject.properties():
        if comparisons_in(prose.text, words) and speaks_about_run(prose.text, "", words):
            message = "a comparison about a run in a property, where no claim can stand"
            yield subject.report("loose-comparison", "error", prose, 0, message, "take it out")
    for span in subject.document.spans:
        if span.kind == "role" and span.data["name"] == "claim":
            key, said = key_and_rest(span.data["content"])
            claim = claims.get(key)
            if claim is None or not claim.holds:
                continue  # the roles check says so
            at = span.data["at"] + span.data["content"].find("|") + 1
            for match in NEEDS_SEEDS.finditer(said):
                if not proves_over_seeds(claim, facts):
                    message = f'"{match[0]}" needs a claim over 3 or more seeds with intervals; {key} is not one'
                    fix = "take the word out, or claim it with all_seeds or intervals_apart"
                    yield subject.find("needs-seeds", "error", at + match.start(), message, fix, key)
            begin = next((s.start for s in subject.sentences if s.start <= span.start < s.end), span.start)
            ahead = subject.document.text[begin : span.start]
            for name, problem, fix in against_claim(said, key, claims, facts, words, ahead):
                yield subject.find(name, "error", span.start, problem, fix, key)


def against_claim(
    said: str, key: str, claims: Mapping[str, Claim], facts: Mapping[str, Fact], words: Vocabulary, before: str
) -> Iterator[tuple[str, str, str]]:
    """(check, problem, fix) where the words of a claim that holds are not its own; `before` is what the sentence says
    ahead of them."""
    claim = claims[key]
    problem = against_direction(said, claim, facts, words, before)
    if problem:
        yield "against-direction", problem, f"turn the comparison round: {claim.detail}"
    problem = value_out_of_place(said, claim, facts, words)
    other = claim_said_by(said, claims)
    if other and claims[other].says != claim.says and claim_said_by(said, {key: claim}) != key:
        problem = f"these are the words of claim {other}"
    if problem:
        own = ", ".join(claim.of)
        fix = f"name the claim's own values ({own}) in the study's order, or say beside each what it is"
        yield "value-out-of-place", problem, fix


def _loose(
    subject: Subject, text: str, places: Sequence[int], before: str, setting: str, words: Vocabulary
) -> Iterator[Finding]:
    found = comparisons_in(text, words)
    seeds = list(NEEDS_SEEDS.finditer(text))
    if not (found or seeds) or not speaks_about_run(text, before, words, setting):
        return
    for match in seeds:
        if found or is_past(text) or SEED_RESULT.search(text):
            message = f'"{match[0]}" about a run needs a claim over 3 or more seeds with intervals'
            fix = "take the word out, or put it in a {claim} by all_seeds or intervals_apart"
            yield subject.find("needs-seeds", "error", places[match.start()], message, fix)
    if found:
        match = found[0]
        message = f'a comparison about a run outside a claim: "{match[0]}"'
        fix = "put it in {claim}`key|words` (`forge facts` lists the claims), or take it out"
        yield subject.find("loose-comparison", "error", places[match.start()], message, fix)


@lru_cache(maxsize=8192)
def comparisons_in(text: str, words: Vocabulary) -> tuple[re.Match[str], ...]:
    """The comparisons a piece of prose makes, those that only name a thing left out."""
    hidden = text
    for pattern in (NO_COMPARISON, words.naming):
        hidden = pattern.sub(lambda m: "\0" * len(m[0]), hidden)
    return tuple(COMPARISONS.finditer(hidden))
