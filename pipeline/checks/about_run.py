"""Whether a sentence speaks about a run, told by its words alone. What states no result must stay theory.

Roles aside, a sentence speaks about a run when one of these holds, tried in this order:

1. It points at a run: "in our runs", "the figure", "we saw", "all seeds", a `{fig}`, or a `{val}` that was measured
   (not a parameter). A prediction ("should", "would") does not point.
2. Nothing makes it hypothetical, an expectation or history ("if", "suppose", "I expected", "would", "in the fifties",
   a `{cite}`), it has a finite verb in the past tense, and it tells no story of people or texts ("my first teacher",
   "the firm", "I wrote", "the proof").
3. It is in the present tense, not general ("can", "in general"), and names a method or "the agent" together with one
   of the evidence's places ("on the cliff"), or a method with "here" or a verb of victory ("outperforms", "beats").
4. Its subject is a pronoun, its verb is past, and the sentence before it speaks about a run or holds a claim.

Everything else is theory ("a larger discount makes the fixed point harder to reach") and left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from experiments.kit.record import Fact
from pipeline.evidence import Evidence
from pipeline.markdown import Sentence, Span
from pipeline.render import key_and_rest


def any_of(words: str) -> str:
    """A regular expression for any of some words; `_` stands for a blank."""
    return "|".join(word.replace("_", r"\s+") for word in words.split())


# Comparatives that name a thing: "the larger lake", "with a smaller step size".
NAMES = (
    "maze mazes lake grid grids map maps board boards world worlds table tables network networks model models batch "
    "batches window discount discounts step_size learning_rate rate horizon horizons context contexts temperature "
    "budget size sizes room rooms game games bound bounds limit triangle half case cases corpus "
    "vocabulary layer layers bonus fine prize"
)
SIZED = "larger largest bigger biggest smaller smallest longer longest shorter shortest lower higher upper deeper wider"
NAMING = rf"(?:{any_of(SIZED)})\s+(?:\w+\s+)?(?:{{names}})\b(?!\s+than\b)"
RUN_THINGS = (
    "run runs experiment experiments measurement measurements figure figures plot plots curve curves "
    "chart seed seeds sweep_plot heat_map heat_maps tests test_runs test_results trials table_above"
)
POINTS_AT_RUN = re.compile(
    rf"""\b(?:
      (?:the|this|these|those|our|my|both|all|every|each|across|most|more|few|several)\s+
        (?:\w+\s+)?(?:{any_of(RUN_THINGS)})\b
    | (?:we|i)\s+(?:measured|timed|ran|trained|tested|tried|compared|plotted|logged|counted|drew|swept|benchmarked)\b
    | (?:our|my)\s+(?:agent|learner|critic|actor|planner|model|network|policy|implementation|code|solver|library|laptop
        |tokenizer|ensemble|student|judge|machine|test|setup|version|baseline|data|lake|maze|mazes|method
        |robot|program|schedule|\w+-\w+\s+policy)\b
    | (?:was|were|as)\s+(?:measured|timed|tested)\b | (?:benchmarked|held-out)\b
    | (?:our|my|these|test|main|first)\s+results\b | results\s+(?:show|say|suggest|are|were)\b
    | (?:regardless|independent)\s+of\s+the\s+seed\b
    )""",
    re.IGNORECASE | re.VERBOSE,
)
SEEN = re.compile(
    r"\b(?:we|i)\s+(?:saw|see|found|find|observed|observe|noticed)\s+(?!(?:it|this|him|her)\b)(?=\w)", re.IGNORECASE
)
NOT_A_RUN = re.compile(
    r"\b(?:in the long run|a test of|the test comes|run (?:into|out|in|along|away|them|it|the)"
    r"|runs (?:in|along|out|into)"
    r"|(?:a|any|some|no) (?:\w+ )?(?:curve|chart|plot|figure|test|run))\b",
    re.IGNORECASE,
)
PREDICTION = re.compile(r"\b(?:should|would|ought\s+to|will|predicts?|must|shall)\b", re.IGNORECASE)
HYPOTHETICAL = re.compile(
    r"\b(?:if|unless|would|should|might|suppose|supposing|imagine|picture|say that|think of|pretend|could be|could have"
    r"|whether|ought)\b",
    re.IGNORECASE,
)
EXPECTATION = re.compile(
    r"(?<!\bas )(?<!\bthan )(?<!\bwhat )\b(?:i|we|one|theory|people|they|you|everyone|nobody)\s+(?:had\s+)?(?:once\s+|"
    r"always\s+|never\s+|also\s+|only\s+)?(?:expect|expects|expected|thought|think|believed|believe|assumed|assume|"
    r"predicted|predict|hoped|hope|feared|guessed|guess|wondered|wanted|want|preferred|wish|wished|knew|imagined|"
    r"used\s+to|took\s+it)\b(?!\s*[.,;]?\s*$)",
    re.IGNORECASE,
)
BUT = re.compile(r"\b(?:but|yet|however|although|and it was|instead)\b", re.IGNORECASE)
HISTORY = re.compile(
    r"\b(?:(?:18|19|20)\d\ds?|(?:twen|thir|for|fif|six|seven|eigh|nine)ties|years? ago|decades?"
    r"|centur(?:y|ies)|back then"
    r"|historically|in those days|long before|long ago|was proved|proved that|invented|published|showed that the)\b",
    re.IGNORECASE,
)
# Whose past is a story and no run: people, firms, texts, the author's own doings.
STORY_OF = re.compile(
    rf"""^\W*(?:\w+\s+){{0,4}}?(?:{
        any_of(
            "customers? clients? teams? company companies firms? managers? friends? colleagues? mathematicians? "
            "physicists? engineers? drivers? family people somebody someone shop store bank boss employees? government "
            "road office proofs? chapter book paper idea question lift queue chess yesterday last_year last_week "
            "old_rule job decision "
            "market theorem definition notation my_first a_friend"
        )
    })\b | \bproof\b | \b(?:I|me)\b""",
    re.VERBOSE | re.IGNORECASE,
)
AS_EXPECTED = re.compile(r"\b(?:than|as|to)\s+(?:I|we|my|one)\b(?:\s+(?:had|would|have))?(?:\s+\w+)?", re.IGNORECASE)
METHODS = (
    "value_iteration policy_iteration modified_policy_iteration prioritised_sweeping prioritized_sweeping sarsa "
    "expected_sarsa q-learning double_q-learning td-learning monte_carlo dyna dyna-q dqn double_dqn rainbow reinforce "
    "actor-critic a2c a3c ppo trpo sac td3 ddpg mcts alphazero muzero grpo rloo dpo ipo kto rlhf rlaif sft lora adam "
    "adamw sgd rmsprop bert gpt-2 smollm2 beam_search rejection_sampling best-of-n behaviour_cloning behavior_cloning "
    "least_squares random_search grid_search cross-entropy_method evolution_strategies ucb thompson_sampling "
    "epsilon-greedy linear_programming"
)
PLACES = (
    "frozenlake cartpole lunarlander mountaincar acrobot pendulum taxi blackjack cliffwalking atari breakout pong "
    "hopper halfcheetah walker2d lake ant humaneval gsm8k mnist cifar minigrid procgen"
)
PRONOUN = re.compile(
    r"(?:(?:and|but|so|yet|here too) )?(?:it|they|(?:this|that|these|those|both|neither|the (?:former|latter|other|"
    r"first|second|rest|same))(?= (?:was|were|did|took|had|came|got|went|made|won|lost|\w+ed)))\b",
    re.IGNORECASE,
)
WINS = re.compile(r"\b(?:out(?:perform|pace|score)s?|beats?|surpass(?:es)?|exceeds?|overtakes?|loses? (?:to|against)|"
                  r"wins|win (?:over|against)|lags? behind|trails|dominates?|trumps?|crush(?:es|ed)|tops|prevails?|"
                  r"(?:has|had) the edge|no match for|leaves? (?:\w+ ){1,3}(?:behind|in the dust)|the winner)\b",
                  re.IGNORECASE)  # fmt: skip

PAST = re.compile(
    r"\b(?:was|were|did|took|came|went|fell|rose|grew|shrank|won|lost|held|kept|made|had|found|saw|gave|got|led|ran|"
    r"became|began|crept|sank|paid|caught|stood|spent|bought|broke|chose|drew|drove|felt|flew|forgot|knew|"
    r"met|overtook|said|sat|sent|shot|slid|slept|hurt|sped|stuck|swung|threw|told|thought|understood|wore|wrote|couldn't|"
    r"didn't|wasn't|weren't|needed|improved|dropped|lagged|exceeded|reached|converged|settled|earned|scored|stayed|ended|"
    r"finished|climbed|matched|turned|seemed|looked|helped|worked|failed|showed|produced|performed|behaved|preferred|"
    r"outperformed|surpassed|trailed|worsened|narrowed|widened|agreed|saved|won|arrived|landed|stopped|"
    r"left\s+(?:\S+\s+){1,4}(?:behind|in\s+the\s+dust))\b",
    re.IGNORECASE,
)
# A participle before a noun or after a present form of "be" is no finite past: "the discounted sum", "is solved".
NOT_FINITE = re.compile(
    r"\b(?:is|are|be|been|being|gets?|get|has|have|having|the|an?|its|their|of|any|no|each|every|when|once|if|as|than|"
    r"more|less|most|to|with|by|for|well|not|best)\s+(?:\w+ly\s+|not\s+|just\s+|still\s+)?"
    r"(?:\w+ed|made|found|left|put|held|kept|won|lost|paid|shown|cost|beat|caught|drawn|spent|run|become|lay|felt|led)\b"
    r"|\b(?:that|which|who|what)\s+(?:(?:it|i|we|they|you|one|he|she)\s+)?(?:\w+ed|was|were|had|made|took|did|knew|got)\b",
    re.IGNORECASE,
)
ED = re.compile(r"(?<=[a-z]\s)\b[a-z]{3,}ed\b(?!\s+(?:by|from|with)\b)", re.IGNORECASE)
NO_VERB = frozenset(
    "discounted expected fixed weighted bounded required unscaled guaranteed limited based interested supposed related "
    "called named given so-called undiscounted directed constrained regularised shared hundred indeed speed need "
    "exceed feed seed proceed succeed agreed detailed advanced crowded tired embed red bed shed wicked sacred "
    "ragged rugged absorbed unlimited unbounded biased unbiased supervised unsupervised preferred".split()
)


@dataclass(frozen=True)
class Vocabulary:
    """Methods, places they can run on, and things that are named by their size, as a post knows them."""

    methods: re.Pattern[str]
    places: re.Pattern[str]
    naming: re.Pattern[str]


def vocabulary(evidence: Evidence) -> Vocabulary:
    """The lists above, with the methods and places that the evidence's facts name.

    Studies describe a fact as "Place: what", or "what of a method on places".
    """
    facts = evidence.results.facts.values()
    return _vocabulary(tuple((fact.description, fact.unit if fact.kind == "parameter" else "") for fact in facts))


@lru_cache(maxsize=64)
def _vocabulary(described: tuple[tuple[str, str], ...]) -> Vocabulary:
    """From each fact's description and, for a parameter, its unit."""
    methods, places = set(METHODS.split()), set(PLACES.split())
    for description, _ in described:
        place, colon, rest = description.lower().partition(":")
        named = re.finditer(r"(?:\bmodified )?\b\w+ (?:iteration|learning|search)\b", rest if colon else place)
        methods |= {match[0].replace(" ", "_") for match in named}
        places |= set(re.findall(r"[a-z]{4,}", place)) if colon else set()
    methods = {method for method in methods if not re.match(r"(?:that|this|from|of|the|by|and|with)_", method)}
    places |= {f"{place}s" for place in places}
    parameters = {w for _, unit in described for w in re.findall(r"[a-z]{4,}", unit)}

    def pattern(options: Iterable[str]) -> re.Pattern[str]:
        return re.compile(rf"\b(?:{any_of(' '.join(map(_safe, sorted(options, key=len, reverse=True))))})\b", re.I)

    names = any_of(" ".join({*NAMES.split(), *map(_safe, parameters), *map(_safe, places)}))
    return Vocabulary(pattern(methods), pattern(places), re.compile(rf"\b{NAMING.format(names=names)}", re.I))


def _safe(word: str) -> str:
    return re.escape(word).replace(r"\_", "_")


def is_past(text: str) -> bool:
    """Whether the text has a finite verb in the past tense, as far as word forms tell."""
    masked = NOT_FINITE.sub(lambda m: "#" * len(m[0]), text)
    if PAST.search(masked):
        return True
    return any(m[0].lower() not in NO_VERB for m in ED.finditer(masked))


def speaks_about_run(text: str, before: str, words: Vocabulary, setting: str = "") -> bool:
    """Rules 1 to 4 of the module. `text` has `{fig}`, `{val}`, `{cite}` in place of roles (parameters left out),
    `before` is the sentence before it with `{claim}` for a claim, `setting` the first sentence of its paragraph."""
    pointed = NOT_A_RUN.sub(" ", text)
    story = STORY_OF.search(AS_EXPECTED.sub(" ", text))
    if re.match(r"\W*if\b", text, re.IGNORECASE) and not is_past(text):
        return False
    seen = SEEN.search(text) and not STORY_OF.search(SEEN.sub(" ", text))
    if "{fig}" in text or "{val}" in text or POINTS_AT_RUN.search(pointed) or seen:
        return not PREDICTION.search(re.sub(r"\bthan (?:\w+ )?would\b", " ", text)) or bool(BUT.search(text))
    hedged = HYPOTHETICAL.search(text) or EXPECTATION.search(text)
    if (hedged and not BUT.search(text)) or "{cite}" in text or HISTORY.search(text):
        return False
    if re.match(r"\W*(?:suppose|imagine|picture|think of|say)\b", setting, re.IGNORECASE):
        return False
    past = is_past(text)
    if past and not story and not PRONOUN.match(text.strip()):
        return True
    if not GENERAL.search(text):
        method = words.methods.search(text)
        if (method or AN_AGENT.search(text)) and _on_a_place(text, words):
            return True
        if method and (WINS.search(text) or HERE.search(text)):
            return True
    if past and PRONOUN.match(text.strip()):
        return "{claim}" in before or "{val}" in before or speaks_about_run(before, "", words)
    return False


GENERAL = re.compile(r"\b(?:can|may|cannot|always|never|in general|in principle)\b", re.IGNORECASE)
HERE = re.compile(r"\b(?:here|there)\b(?!\s+(?:is|are)\b)", re.IGNORECASE)
AN_AGENT = re.compile(
    r"\b(?:the|this|our|my)\s+(?:\w+\s+)?(?:agent|learner|planner|robot|model|method|machine|program|plan|policy)s?\b",
    re.IGNORECASE,
)


def _on_a_place(text: str, words: Vocabulary) -> bool:
    """Whether a definite place is named: "on the cliff", "in all mazes", "on FrozenLake"; not "in a maze"."""
    before = r"\b(?:on|in|across|over|for|out\s+of)\s+(?!an?\b)(?:\w+\s+){0,3}?"
    return bool(re.search(before + words.places.pattern, text, re.IGNORECASE))


def prose_of(sentence: Sentence, facts: Mapping[str, Fact]) -> tuple[str, list[int]]:
    """A sentence with roles as `{name}` and code and formulas as blanks, and where each character stands."""
    text: list[str] = []
    places: list[int] = []
    for span in sentence.spans:
        piece = _shown(span, facts)
        exact = span.kind == "text"
        text.append(piece)
        places += [span.start + (i if exact else 0) for i in range(len(piece))]
    return "".join(text), places


def _shown(span: Span, facts: Mapping[str, Fact]) -> str:
    if span.kind == "text":
        return span.text
    if span.kind in ("escape", "entity"):
        return str(span.data["char"])
    if span.kind == "role":
        name = span.data["name"]
        key = key_and_rest(span.data["content"])[0]
        # A parameter is no result: it stands in theory as it stands in the set-up.
        return " it " if name == "val" and key in facts and facts[key].kind == "parameter" else f"{{{name}}}"
    return " " if span.kind in ("break", "code", "math") else ""
