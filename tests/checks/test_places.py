"""Values in a claim's words stand where they belong: in the study's order, or where the words beside them say so."""

from __future__ import annotations

import re
from itertools import combinations

import pytest

from experiments.kit.operators import evaluate_claim
from experiments.kit.record import Claim, Fact, claim, fact, parameter
from pipeline.checks.about_run import Vocabulary, vocabulary
from pipeline.checks.comparisons import against_claim
from pipeline.checks.directions import KEY_IN
from pipeline.checks.places import value_out_of_place
from pipeline.checks.subject import Subject
from pipeline.evidence import gather_all
from pipeline.project import find_project
from pipeline.render import key_and_rest
from tests.checks.mutations import subjects
from tests.checks.test_comparisons import ROOT

FACTS: dict[str, Fact] = {
    f.key: f
    for f in (
        fact("tea.green.minutes", 2.0, "minutes", "time to brew green tea", fmt=".0f", better="lower"),
        fact("tea.black.minutes", 5.0, "minutes", "time to brew black tea", fmt=".0f", better="lower"),
        fact("tea.green.grams", 9.0, "grams", "leaves in a pot of green tea", fmt=".0f"),
        fact("tea.wait", 60.0, "percent", "waiting saved", fmt=".0f"),
        parameter("tea.pots", 30, "pots", "pots brewed", fmt="d"),
        parameter("tea.cups", 4, "cups", "cups poured", fmt="d"),
    )
}
PLAIN = Vocabulary(*(re.compile(r"(?!x)x") for _ in range(3)))
GREEN, BLACK, GRAMS = "{val}`tea.green.minutes`", "{val}`tea.black.minutes`", "{val}`tea.green.grams`"


def stated(says: str, plain: str = "") -> Claim:
    made = claim("tea.claim.quick", "less", "tea.green.minutes", "tea.black.minutes", says=says, plain=plain)
    return evaluate_claim(made, FACTS)


QUICK = stated(f"Of {{val}}`tea.pots` pots the green ones were ready after {GREEN}, the black ones after {BLACK}.")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        # The study's own words, whole or among others.
        (QUICK.says, ""),
        (QUICK.says.replace(GREEN, "X").replace(BLACK, GREEN).replace("X", BLACK), "the study says tea.green.minutes"),
        (f"As hoped: {QUICK.says} So be it.", ""),
        (f"As hoped: {QUICK.says.replace(BLACK, GREEN)} So be it.", "the study says tea.black.minutes"),
        # Other words, in its order or where the words beside each value say which is which.
        (f"It took {GREEN}, then {BLACK}.", ""),
        (f"It took {BLACK}, then {GREEN}.", "nothing in these words tells"),
        (f"Black tea took {BLACK}, green tea {GREEN}.", ""),
        (f"Black tea took {GREEN}, green tea {BLACK}.", "are each other's"),
        (f"Green tea took {BLACK}, black tea {GREEN}.", "are each other's"),
        (f"It takes longer: {BLACK} against {GREEN}.", ""),  # the comparative agrees with the values
        (f"A pot takes {GREEN} when it is green, {BLACK} when it is black.", ""),
        (f"A pot takes {BLACK} when it is green, {GREEN} when it is black.", "are each other's"),
        (f"Black tea takes {BLACK} where green tea takes {GREEN}.", ""),
        (f"Choosing another sort brings {BLACK} down to {GREEN}.", ""),
        (f"Made of black leaves, a pot takes {BLACK} to be ready, of green ones {GREEN}.", ""),
        # What does not belong.
        (f"It took {GREEN} and {GRAMS}.", "tea.green.grams is none of the values"),
        (f"It took {GREEN} for each of {{val}}`tea.pots` pots, and {BLACK}.", ""),
        (f"It took {GREEN} for {{val}}`tea.cups` cups, and {BLACK}.", ""),
        (f"It took {GREEN} with {{val}}`tea.cups` of something, and {BLACK}.", "tea.cups is none of the values"),
        (f"They took {GREEN}, and again {GREEN}.", "is said 2 times"),
        (f"Green tea took {GREEN}; the second pot of green tea {GREEN}.", ""),
        # The word behind a value is its unit, not another's.
        (f"It took {GREEN} minutes, then {BLACK}.", ""),
        (f"It took {GREEN} pots, then {BLACK}.", "tea.green.minutes is in minutes, not in pots"),
    ],
)
def test_each_value_keeps_its_place(words: str, why: str) -> None:
    found = value_out_of_place(words, QUICK, FACTS, PLAIN)
    assert why in found and bool(found) is bool(why)


def test_the_nearer_of_the_studys_two_tellings_gives_the_order() -> None:
    both = stated(f"Ready after {GREEN} and {BLACK}.", f"You wait for {BLACK}, or choose another sort and {GREEN}.")
    assert value_out_of_place(f"Mine were ready after {GREEN} and {BLACK} in all.", both, FACTS, PLAIN) == ""
    assert value_out_of_place(f"Mine were ready after {BLACK} and {GREEN} in all.", both, FACTS, PLAIN)
    assert value_out_of_place(f"Here you wait for {BLACK}, or choose and {GREEN}.", both, FACTS, PLAIN) == ""
    assert value_out_of_place(f"Here you wait for {GREEN}, or choose and {BLACK}.", both, FACTS, PLAIN)


def test_a_stray_brace_is_no_value() -> None:
    assert value_out_of_place("{val} " + QUICK.says, QUICK, FACTS, PLAIN) == ""


def swapped(said: str, place: re.Match[str], key: str) -> str:
    return said[: place.start(1)] + key + said[place.end(1) :]


def test_no_two_values_in_claims_of_the_drafts_can_change_places_unnoticed() -> None:
    """Every pair of every draft, not a sample: nobody reads sixteen editions for two numbers that changed places."""
    made = subjects(find_project(ROOT), gather_all(find_project(ROOT), "small")[0])
    if not made:
        pytest.skip("no drafts here")
    tried, missed = 0, []
    for subject in made:
        facts = subject.evidence.results.facts
        said = claims_of(subject)
        values = [(i, m) for i, (text, _, _) in enumerate(said) for m in re.finditer(KEY_IN, text) if m[1] in facts]
        assert [key for i, (_, key, _) in enumerate(said) if noticed(subject, *said[i])] == []
        for (i, a), (j, b) in combinations(values, 2):
            if a[1] == b[1] or facts[a[1]].text("scientist") == facts[b[1]].text("scientist"):
                continue
            changed = {j: swapped(said[j][0], b, a[1])}  # the later one first: the places of the earlier stay
            changed[i] = swapped(changed.get(i, said[i][0]), a, b[1])
            tried += 1
            if not any(noticed(subject, text, *said[n][1:]) for n, text in changed.items()):
                missed.append(changed)
    assert tried > 10_000 and missed == []


def claims_of(subject: Subject) -> list[tuple[str, str, str]]:
    """(words, key, what the sentence says before) of each claim of a draft."""
    found = []
    for span in subject.document.spans:
        if span.kind == "role" and span.data["name"] == "claim":
            key, said = key_and_rest(span.data["content"])
            begin = next((s.start for s in subject.sentences if s.start <= span.start < s.end), span.start)
            found.append((said, key, subject.document.text[begin : span.start]))
    return found


def noticed(subject: Subject, said: str, key: str, before: str) -> bool:
    results, words = subject.evidence.results, vocabulary(subject.evidence)
    return any(against_claim(said, key, results.claims, results.facts, words, before))
