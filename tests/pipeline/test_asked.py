"""Derived values and claims a draft asks for: evaluated, checked, printed, traced and bound to the approval."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.kit.operators import CLAIMS, DERIVED
from pipeline.asked import FIELDS, SAYS, Asked, evaluate
from pipeline.checks import check_draft
from pipeline.drafts import load_draft, read_draft
from pipeline.evidence import gather_all
from pipeline.finding import Finding
from pipeline.project import Project
from pipeline.publish import page_path, publish
from pipeline.review import edition_state
from pipeline.why import why
from tests.toy_project import approve_both, the_post, write_results

GAP = "derived:\n  gap: {op: difference, of: [coin.many, coin.few]}\n"


def asked(project: Project, front: str) -> Asked:
    path = project.root / "try.md"
    path.write_text(f"---\ntitle: x\n{front}---\n\nText.\n")
    evidence = the_post(project)
    return evaluate(evidence.results, read_draft(project, path, "coin-post", "scientist"), "try.md")


def say(project: Project, edition: str, front: str, words: str, old: str) -> None:
    path = project.drafts / "coin-post" / f"{edition}.md"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace("---\n", f"---\n{front}", 1).replace(old, f"{old} {words}", 1))


def findings(project: Project, edition: str) -> list[Finding]:
    evidence = the_post(project)
    draft = load_draft(project, "coin-post", edition)  # type: ignore[arg-type]
    other = load_draft(project, "coin-post", "manager" if edition == "scientist" else "scientist")
    assert draft is not None
    return [f for f in check_draft(project, evidence, draft, other) if f.severity == "error"]


def test_a_difference_takes_the_rounding_of_what_it_is_made_of(project: Project) -> None:
    made = asked(project, GAP).facts["gap"]
    assert (made.value, made.unit, made.text("scientist"), made.text("manager")) == (94, "heads", "94.0", "94")
    assert made.description == "heads in many throws, less heads in few throws" and made.study == "toy/coin"
    assert made.place is not None and (made.place.file, made.place.line) == ("try.md", 4)


@pytest.mark.parametrize(
    ("op", "of", "text"),
    [
        ("ratio", "coin.few, coin.many", "0.041×"),
        ("percent_change", "coin.many, coin.few", "2,350%"),
        ("best_of", "coin.many, coin.few", "98.0"),
        ("rank", "coin.few, coin.many", "2"),
        ("count", "coin.few, coin.many", "2"),
        ("smallest", "coin.few, coin.few", "4"),
    ],
)
def test_rounding_without_a_format(project: Project, op: str, of: str, text: str) -> None:
    assert asked(project, f"derived: {{x: {{op: {op}, of: [{of}]}}}}\n").facts["x"].text("scientist") == text


def test_one_builds_on_another_in_any_order(project: Project) -> None:
    front = "derived:\n  twice: {op: ratio, of: [gap, coin.few], format: {scientist: .2f, manager: .0f}}\n"
    made = asked(project, front + GAP.removeprefix("derived:\n"))
    assert made.findings == () and made.facts["twice"].value == 23.5
    assert (made.facts["twice"].text("scientist"), made.facts["twice"].text("manager")) == ("23.50×", "24×")


@pytest.mark.parametrize(
    ("front", "line", "check", "message", "fix"),
    [
        ("derived: {g: {op: ratio, of: [coin.meny, coin.few]}}", 3, "unknown-key", "no fact coin.meny", "coin.many"),
        ("derived: {g: {op: ratoi, of: [coin.few]}}", 3, "unknown-operator", "no operator 'ratoi'", "ratio"),
        ("derived: {g: {op: less, of: [coin.few]}}", 3, "unknown-operator", "no operator 'less'", "under `claims:`"),
        ("claims: {g: {op: ratio, of: [coin.few]}}", 3, "unknown-operator", "no operator 'ratio'", "under `derived:`"),
        ("derived: {g: {op: ratio, of: [coin.seconds, coin.few]}}", 3, "asked", "one unit, got coin.seconds in s", ""),
        ("derived: {coin.few: {op: count, of: [coin.few]}}", 3, "asked-name", "already the key", "choose another"),
        ("derived: {coin.more: {op: count, of: [coin.few]}}", 3, "asked-name", "already the key", "choose another"),
        ("derived:\n  a: {op: count, of: [b]}\n  b: {op: count, of: [a]}", 4, "asked", "a circle", "break it"),
        ("derived: {g: {op: count, of: coin.few}}", 3, "asked", "names no keys", "of: ["),
        ("derived: {g: {op: count, of: [coin.few], fmt: d}}", 3, "asked", "no 'fmt'", "format"),
        ("derived: {g: {op: count, of: [coin.few], unit: s}}", 3, "asked", "said to be in 's'", "unit: count"),
        ("derived: {g: {op: count, of: [coin.few], format: '.1%'}}", 3, "asked", "the meaning", "another format"),
        ("derived: {g: {op: count, of: [coin.few], format: [a]}}", 3, "asked", "format ['a']", "scientist and manager"),
        ("derived: {g: {op: count, of: [coin.few], better: up}}", 3, "asked", "better is 'up'", "higher, lower"),
        ("derived: {G: {op: count, of: [coin.few]}}", 3, "asked", "cannot be a key", "lower-case"),
        ("derived: 5", 3, "asked", "no list of names", "derived:"),
        ("derived: {g: 5}", 3, "asked", "does not say what to compute", "op: difference"),
        ("claims: {g: {op: within, of: [coin.few, coin.many], bound: x}}", 3, "asked", "bound 'x'", "bound: 0.5"),
        ("claims: {g: {op: within, of: [coin.few, coin.many], bound: -1}}", 3, "asked", "margin is not below zero", ""),
        ("claims: {g: {op: all_seeds, of: [coin.few, coin.many]}}", 3, "asked", "3 or more seeds", ""),
        ("claims: {g: {op: less, of: [coin.more, coin.many]}}", 3, "unknown-key", "no fact coin.more", "is a claim"),
        ("derived:\n  g: {op: count, of: [coin.few]}\n  g: {op: count, of: [a]}", 5, "yaml.duplicate-key", "", ""),
    ],
)  # fmt: skip
def test_what_cannot_be_evaluated_is_named_with_its_line(
    project: Project, front: str, line: int, check: str, message: str, fix: str
) -> None:
    found = asked(project, front + "\n").findings
    assert found, front
    assert (found[0].line, found[0].check, found[0].file) == (line, check, "try.md")
    assert message in found[0].message and fix in found[0].fix and found[0].fix


def test_nothing_is_evaluated_as_code(project: Project) -> None:
    made = asked(project, "derived: {g: {op: \"__import__('os').getcwd\", of: [coin.few]}}\n")
    assert made.facts == {} and made.findings[0].check == "unknown-operator"


def test_every_operator_can_be_described_and_every_field_is_read() -> None:
    assert set(SAYS) == set(DERIVED) and "all_seeds" in CLAIMS
    assert FIELDS["claims"] == ("op", "of", "bound")


CLAIM = "claims:\n  fewer: {op: less, of: [coin.few, coin.many]}\n"
SAID = "The difference is {val}`gap|unit`, and {claim}`fewer|the short series has fewer heads`."


def test_it_prints_with_its_provenance_and_enters_the_approval(drafted: Project) -> None:
    say(drafted, "scientist", GAP + CLAIM, SAID, "A fair coin forgets.")
    assert findings(drafted, "scientist") == []
    approve_both(drafted)
    publish(drafted, gather_all(drafted, "small")[0])
    page = page_path(drafted, "coin-post", "scientist").read_text()
    assert "computed as difference of coin.many, coin.few" in page and ">94.0 heads</data>" in page
    assert 'data-key="fewer" title="less: coin.few = 4, coin.many = 98"' in page
    assert "(`gap`) | computed as difference of coin.many, coin.few" in page
    (chain,) = why(drafted, "The difference is 94.0 heads", "small")
    assert [link.name for link in chain.of] == ["gap", "fewer"]
    assert [link.name for link in chain.of[0].of][:2] == ["coin.many", "coin.few"]
    (named,) = why(drafted, "gap", "small")
    assert named.name == "drafts/coin-post/scientist.md" and named.of[0].name == "gap"
    write_results(drafted.root, many=97.0)
    state = edition_state(drafted, the_post(drafted), "scientist")
    assert any("gap was 94.0 and is now 93.0" in message for s in state.reopened for message in s.messages)
    write_results(drafted.root, many=2.0)
    state = edition_state(drafted, the_post(drafted), "scientist")
    assert any("claim fewer no longer holds" in finding.message for finding in state.errors)


def test_an_unknown_name_and_a_false_claim_are_errors_where_they_are_used(drafted: Project) -> None:
    say(drafted, "scientist", CLAIM.replace("less", "greater"), SAID, "A fair coin forgets.")
    found = {finding.check: finding for finding in findings(drafted, "scientist")}
    assert "no fact gap" in found["unknown-key"].message and "does not hold" in found["false-claim"].message


def test_the_manager_edition_asks_only_for_what_the_scientist_edition_shows(drafted: Project) -> None:
    claim = CLAIM.replace("coin.many]}", "coin.many], bound: 1}")  # else it is the study's own claim
    front = (GAP + claim).replace("gap", "lead").replace("fewer", "behind")
    words = SAID.replace("`gap", "`lead").replace("`fewer", "`behind")
    say(drafted, "manager", front, words, "A coin does not remember.")
    keys = {f.key for f in findings(drafted, "manager") if f.check == "claim-without-basis"}
    assert keys == {"lead", "behind"}
    say(drafted, "scientist", GAP + claim, SAID, "A fair coin forgets.")
    assert [f for f in findings(drafted, "manager") if f.check == "claim-without-basis"] == []


def test_stale_and_dirty_inputs_reach_what_is_made_of_them(drafted: Project) -> None:
    say(drafted, "scientist", GAP, "The difference is {val}`gap`.", "A fair coin forgets.")
    study = drafted.root / "experiments" / "toy" / "coin_study.py"
    study.write_text(study.read_text().replace("< 0.5", "< 0.6"))
    assert "stale-results" in {finding.check for finding in findings(drafted, "scientist")}


def test_words_against_the_direction_of_a_claim_asked_for(drafted: Project, tmp_path: Path) -> None:
    words = "The many throws {claim}`fewer|show fewer heads`."
    say(drafted, "scientist", CLAIM, words, "A fair coin forgets.")
    assert "against-direction" in {finding.check for finding in findings(drafted, "scientist")}
