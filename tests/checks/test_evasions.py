"""What a stranger would try: numbers, comparisons and sources in disguise. And what must stay free."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.checks import check_draft
from pipeline.checks.claimed_numbers import wrong_numbers
from pipeline.drafts import load_draft
from pipeline.project import Project
from tests.checks import unseen
from tests.checks.mutations import subjects
from tests.toy_project import the_post

NUMBERS = (
    "It took １２ throws.", "It took XIV rounds.", "It took a dozen rounds.", "It took half of the time.",
    "A tenfold gain.",
    "It took [12 throws](#opening).", 'See [here](#opening "12 throws").', "A note[^1].\n\n[^1]: It took 12 throws.",
    "| a | b |\n| --- | --- |\n| x | 12 throws |", "### It took 12 throws", "It took &#49;&#50; throws.",
    "It took 1**2** throws.",
    "It took 1\u00ad2 throws.", "It took sev\u200ben rounds.", "It took ѕeven rounds.", "It took `12` throws.",
    "It took `12 throws`.", "It took $12$ rounds.", "It took ⑫ throws.", "It took ¹² throws.", "It took 𝟏𝟐 throws.",
    "It took **seven** rounds.", "It took sev&#101;n rounds.", "Nine out of ten failed.", "It was point nine.",
    "A factor of ten separates them.", "It took fifty-two throws.", "It took a score of rounds.", "It doubled.",
    "The ratio was ten to one.", "It took an hour and a half.", "A three-fold gain.",
    "The counts were in the low hundreds.",
    "Its error was in the single digits.", "It was in the mid-nineties.", "It won in ninety per cent.",
    "Three quarters failed.",
)  # fmt: skip
COMPARISONS = (
    "This method is SOTA.", "Our method is state-of-the-art.", "Our method beats the others.",
    "Our method outperforms the rest.",
    "Our method wins.", "Our method dominates the others.", "Our method is second to none.",
    "Our method is unrivalled.",
    "Our method came first.", "Our method was f\u200baster.", "Our method was fastеr.", "Our method was *fast*er.",
    "Our method left the other in the dust.", "Our method ended up ahead.", "Nothing came close to our method.",
    "Our method reliably improved.", "Our runs agree without exception.", "Our method was better in every run.",
)  # fmt: skip
SOURCES = (
    "Smith and Jones showed that.", "This is known [12].", "Bellman's 1957 paper proves it.",
    "See arxiv 1707 for more.",
    "See <https://doi.org/10.1000/182>.", "Smith (2019) says so.", "Smith [2019] says so.",
    "Bertsekas, 1991, proved this.",
    "As Sutton put it, it converges.", "As Bellman once wrote, it converges.",
    "As Bellman (in his book) argued, it converges.", "A blog post by Karpathy explains this.",
    "According to Sutton, it converges.", "Silver and colleagues found this.", "A recent study found this.",
    "A DeepMind paper showed this.", "Researchers at OpenAI report this.", "See www.example.org for more.",
    "Howard proved in 1960 that it converges.", "The authors of DQN report a gain.", "See ref. 12 for this.",
    "It is well documented in the literature.", "See ar\u00adXiv for this.", "Feller et\nal. say so.",
)  # fmt: skip
FREE = (
    "A step of size $\\alpha = 0.1$ is usual.", "The factor is $99$ in the bound.",
    "Type II errors are missed effects.",
    "GPT-2 and A2C are names, and so is Python 3.11.", "See chapter 4 of the notes.",
    "The year 1957 saw the first proof.",
    "One of the two must hold.", "A larger discount makes the fixed point harder to reach.", "`gamma` is the discount.",
    "Naïve façade, coöperate, and the 👩\u200d🔬 at work.", "The first term dominates the second for small steps.",
    "Value and policy show up together.", "In May 2026 I began.", "The greedy action wins ties.",
    "TD(λ) and Δt are symbols.",
)  # fmt: skip


def errors_with(project: Project, words: str) -> set[str]:
    draft = load_draft(project, "coin-post", "scientist")
    assert draft is not None
    body = draft.body.replace("A fair coin forgets.", f"A fair coin forgets.\n\n{words}\n\nIt settles.")
    assert body != draft.body
    changed = replace(draft, body=body, text=draft.text.replace(draft.body, body))
    return {f.check for f in check_draft(project, the_post(project), changed, None) if f.severity == "error"}


@pytest.mark.parametrize("words", NUMBERS)
def test_a_number_in_disguise(drafted: Project, words: str) -> None:
    assert errors_with(drafted, words) & {"typed-number", "hidden-character"}


@pytest.mark.parametrize("words", COMPARISONS)
def test_a_comparison_in_disguise(drafted: Project, words: str) -> None:
    assert errors_with(drafted, words) & {"loose-comparison", "needs-seeds", "hidden-character"}


@pytest.mark.parametrize("words", SOURCES)
def test_a_source_in_disguise(drafted: Project, words: str) -> None:
    assert errors_with(drafted, words) & {"free-citation", "hidden-character"}


@pytest.mark.parametrize("words", FREE)
def test_what_stays_free(drafted: Project, words: str) -> None:
    assert errors_with(drafted, words) == set()


def test_a_source_told_beside_its_citation_is_fine(drafted: Project) -> None:
    assert errors_with(drafted, "According to Feller, it settles {cite}`feller1968`.") == set()


@pytest.mark.parametrize("words", ["A coin 10 times as good", "Our method beats the others", "What Smith (2019) knew"])
def test_properties_a_reader_sees_are_checked_too(drafted: Project, words: str) -> None:
    draft = load_draft(drafted, "coin-post", "scientist")
    assert draft is not None
    for key in ("title", "description", "tags"):
        front = {**draft.front, key: [words] if key == "tags" else words}
        found = check_draft(drafted, the_post(drafted), replace(draft, front=front), None)
        assert [f.line for f in found if f.severity == "error"], key


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ("It takes twenty-five times as many.", []),
        ("It takes more than twenty times as many.", []),
        ("It takes a hundred times as many.", ["hundred times as"]),
        ("It takes half of them.", ["half of"]),
        ("It takes four rounds.", []),
        ("It takes five rounds.", ["five rounds"]),
        ("An order of magnitude more.", ["order of magnitude"]),
    ],
)
def test_number_words_of_a_claim_follow_from_its_values(project: Project, said: str, wrong: list[str]) -> None:
    results = the_post(project).results  # 4 heads against 98
    found = list(wrong_numbers(said, results.claims["coin.more"], results.facts))
    assert [w in f for w, f in zip(wrong, found, strict=True)] == [True] * len(wrong)


def test_unseen_sentences(drafted: Project) -> None:
    made = subjects(drafted, [the_post(drafted)])[0]
    rates = unseen.rates(made)
    stated = [rates[key] for key in rates if key[1]]
    honest = [rates[key] for key in rates if not key[1]]
    assert sum(seen for seen, _ in stated) >= 0.85 * sum(total for _, total in stated), rates
    assert sum(seen for seen, _ in honest) <= 0.12 * sum(total for _, total in honest), rates
