"""What the commands add stands where it belongs, reads back, and leaves the rest alone."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from experiments.kit.errors import CannotRun
from pipeline.additions import (
    NewSource,
    gap_words,
    suggested_key,
    suited,
    week_note,
    with_gap,
    with_resource,
    with_source,
)
from pipeline.plan import Plan, load_plan, load_week, study_parts, written_parts
from pipeline.sources import parse_sources
from pipeline.vault import Note, Vault
from tests.pipeline.plan_vault import write_plan

DAY = datetime.date(2026, 11, 21)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    write_plan(tmp_path / "notes")
    return load_plan(Vault.load(tmp_path / "notes"))[0]


def test_a_gap_goes_under_its_heading(plan: Plan) -> None:
    note = plan.roadmap.note
    after = with_gap(note, "  why\n coins forget ", DAY, plan.clusters["1.1"])
    line = "- [ ] 2026-11-21: why coins forget ([[roadmap/1.1-coins|1.1]])\n"
    before = "- [x] 2025-08-01: why coins forget\n"
    assert after == note.text.replace(before, before + line)


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("# R\r\n", "# R\r\n\r\n## Knowledge gaps\r\n\r\n- [ ] 2026-11-21: x\r\n"),
        ("", "## Knowledge gaps\n\n- [ ] 2026-11-21: x\n"),
        ("## Knowledge gaps", "## Knowledge gaps\n\n- [ ] 2026-11-21: x\n"),
        ("## Knowledge gaps\n\nProse.\n\n## Next\n", "## Knowledge gaps\n\nProse.\n\n- [ ] 2026-11-21: x\n\n## Next\n"),
    ],
)
def test_a_gap_in_notes_of_other_shapes(text: str, after: str) -> None:
    assert with_gap(Note("r.md", "r.md", text), "x", DAY) == after


def test_a_gap_needs_words(plan: Plan) -> None:
    with pytest.raises(CannotRun, match="needs words"):
        with_gap(plan.roadmap.note, " \n ", DAY)


def test_a_source_reads_back_as_given() -> None:
    new = NewSource("who2026", "paper", "100% of {Q}: a_b & #1", "{OpenAI} and Szepesvári, Csaba", "2026", "https://x.org/a#b",
                    "10.1234/a_b")  # fmt: skip
    source = new.read()
    assert (source.title, source.authors) == ("100% of Q: a_b & #1", ("OpenAI", "Csaba Szepesvári"))
    assert (source.year, source.url, source.doi, source.medium) == ("2026", "https://x.org/a#b", "10.1234/a_b", "paper")
    arxiv = NewSource("a2017", "paper", "T", "A, B", "2017", "", "", "1706.03762").read()
    assert (arxiv.eprint, arxiv.link) == ("1706.03762", "https://arxiv.org/abs/1706.03762")
    before = "@book{b,\r\n title={B}, author={B}, year={2000}\r\n}"
    text = with_source(before, new)
    assert text.startswith(before) and "\n" not in text.replace("\r\n", "")
    assert list(parse_sources(text)[0]) == ["b", "who2026"]
    unbalanced = NewSource("x", "paper", "A } brace {", "A, B", "2020").read()
    assert unbalanced.title == "A brace"


def test_an_entry_that_never_ends_swallows_nothing_added() -> None:
    new = NewSource("new2026", "paper", "T", "A, B", "2026")
    assert list(parse_sources(with_source("@article{open,\n title={T\n", new))[0]) == ["new2026"]


def test_keys_are_suggested() -> None:
    assert suggested_key("Vaswani, Ashish and Shazeer, Noam", "Attention Is", "2017", set()) == "vaswani2017"
    assert suggested_key("{Google DeepMind}", "On the Way", "", set()) == "deepmind"
    assert suggested_key("Ashish Vaswani", "On Attention", "2017", {"vaswani2017"}) == "vaswani2017attention"
    assert suggested_key("李, 明", "一", "2020", {"source2020", "source2020b"}) == "source20202"


def test_clusters_are_suggested_by_what_they_share(plan: Plan) -> None:
    assert [cluster.number for cluster in suited(plan, ("On self-attentions", " fair bets"))] == ["1.1", "2.1"]
    assert suited(plan, ("Nothing of the kind",)) == []


def test_a_gap_is_the_same_whatever_stands_around_it() -> None:
    line = "2026-11-21: why coins forget ([[roadmap/1.1-coins|1.1]])"
    assert gap_words(line) == gap_words(" Why  coins forget") == "why coins forget"


def test_a_resource_goes_to_its_cluster(plan: Plan) -> None:
    coins = plan.clusters["1.1"]
    after = with_resource(coins, "latest", "new2026", "ch. 2, 3", 'says "so"')
    assert '  latest:\n    - {source: new2026, where: "ch. 2, 3", note: "says \\"so\\""}\n' in after
    listed = with_resource(coins, "video", "new2026")
    assert listed.replace("[vaswani2017, new2026]", "[vaswani2017]") == coins.note.text
    with pytest.raises(CannotRun, match=r"has feller1968 already \(notes/roadmap/1\.1-coins\.md:16\)"):
        with_resource(coins, "primary", "feller1968", "ch. 3")


def test_a_new_weeks_template_is_sound(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "notes" / "plan" / "week-17.md").write_text(week_note(plan, 17))
    vault = Vault.load(tmp_path / "notes")
    week, findings = load_week(vault, 17)
    assert week is not None and findings == []
    assert len(study_parts(week.note)) == 8 and written_parts(week.note) == ()
