"""Review and publish: an approval covers exactly what was seen; everything else is refused, with its place."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest
import yaml

from experiments.kit.errors import CannotRun
from experiments.kit.files import sha256
from pipeline.cards import draw_card
from pipeline.evidence import gather_all
from pipeline.finding import Finding
from pipeline.progress import read_published
from pipeline.project import Project
from pipeline.publish import Published, page_path, publish, verify_site
from pipeline.review import decide, edition_state, load_reviews, queued
from tests.toy_project import approve_both as approve
from tests.toy_project import the_post, write_results


def go(project: Project) -> list[Published]:
    return publish(project, gather_all(project, "small")[0])


def checks(findings: tuple[Finding, ...] | list[Finding]) -> set[str]:
    return {finding.check for finding in findings}


@pytest.fixture
def published(drafted: Project) -> Project:
    approve(drafted)
    assert [p.outcome for p in go(drafted)] == ["published", "published"]
    return drafted


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def scientist(project: Project) -> Path:
    return project.drafts / "coin-post" / "scientist.md"


def test_nothing_is_published_unapproved(drafted: Project) -> None:
    done = go(drafted)
    assert [p.outcome for p in done] == ["refused", "refused"]
    assert checks(done[0].findings) == {"unapproved"}
    assert not list(drafted.site.rglob("*.*"))


def test_published_pages_hold_values_with_their_provenance(published: Project) -> None:
    page = page_path(published, "coin-post", "scientist").read_text()
    assert '<data class="kf-value" value="98.0" data-key="coin.many"' in page and ">98.0</data>" in page
    assert "run coin-small-0000" in page and "experiments/toy/coin_study.py:20" in page
    assert "{val}" not in page and "{claim}" not in page and "secret" not in page
    assert "[^feller1968]: " in page and "def flip(rng):" in page
    manager = page_path(published, "coin-post", "manager").read_text()
    assert ">24.5×</data>" in manager and "def flip" not in manager
    assert len(list((published.site / "assets" / "figures" / "toy").iterdir())) == 2
    assert verify_site(published, gather_all(published, "small")[0]) == []


def test_publishing_twice_changes_nothing(published: Project) -> None:
    before = {p: p.read_bytes() for p in published.site.rglob("*.*")}
    assert [p.outcome for p in go(published)] == ["unchanged", "unchanged"]
    assert {p: p.read_bytes() for p in published.site.rglob("*.*")} == before


def test_an_edited_draft_is_refused_until_approved_again(published: Project) -> None:
    edit(scientist(published), "A fair coin forgets.", "A fair coin remembers.")
    done = go(published)
    assert [p.outcome for p in done] == ["refused", "unchanged"]
    assert "the text changed since Ada approved it" in done[0].findings[0].message
    assert "forgets" in page_path(published, "coin-post", "scientist").read_text()
    approve(published)
    assert [p.outcome for p in go(published)] == ["published", "unchanged"]


def test_a_later_approval_keeps_the_day_of_the_first(published: Project) -> None:
    page = page_path(published, "coin-post", "scientist")
    front = yaml.safe_load(page.read_text().split("---\n")[1])
    page.write_text(page.read_text().replace(f"date: {front['date']}", "date: 2026-01-05"))  # published some months ago
    edit(scientist(published), "A fair coin forgets.", "A fair coin remembers.")
    approve(published)
    assert [p.outcome for p in go(published)] == ["published", "unchanged"]
    assert yaml.safe_load(page.read_text().split("---\n")[1])["date"] == {
        "created": datetime.date(2026, 1, 5),
        "updated": front["date"],
    }
    assert verify_site(published, gather_all(published, "small")[0]) == []
    assert read_published(published.site).pages["coin-post", "scientist"] == "2026-01-05"


def test_a_changed_metric_names_the_sentence(published: Project) -> None:
    write_results(published.root, many=97.0)
    done = go(published)
    assert [p.outcome for p in done] == ["refused", "refused"]
    moved = [f for f in done[0].findings if f.check == "moved-value"]
    assert moved[0].message == "coin.many was 98.0 and is now 97.0"
    assert moved[0].file == "drafts/coin-post/scientist.md" and moved[0].line is not None
    line = scientist(published).read_text().splitlines()[moved[0].line - 1]
    assert "{val}`coin.many`" in line and "coin.many" in moved[0].sentence


def test_a_change_inside_the_rounding_passes(published: Project) -> None:
    write_results(published.root, many=98.0000001)
    assert [p.outcome for p in go(published)] == ["unchanged", "unchanged"]


def test_a_claim_that_flips_is_refused(published: Project) -> None:
    write_results(published.root, many=3.0)
    found = [f for p in go(published) for f in p.findings]
    assert any("claim coin.more no longer holds" in f.message for f in found)


def test_facts_edited_by_hand_are_refused(published: Project) -> None:
    facts = published.root / "experiments" / "toy" / "results" / "small" / "facts.json"
    edit(facts, '"value": 98.0', '"value": 99.0')
    found = [f for p in go(published) for f in p.findings]
    assert "stale-results" in checks(found) and "moved-value" in checks(found)
    assert any("facts.json does not match run.json" in f.message for f in found)


def test_changed_code_makes_values_stale(published: Project) -> None:
    edit(published.root / "experiments" / "toy" / "coin_study.py", "< 0.5", "< 0.6")
    found = [f for p in go(published) for f in p.findings]
    assert {"stale-results", "listing-drift", "moved-value"} <= checks(found)
    assert any("measured code changed: toy.coin_study:flip" in f.message for f in found)


def test_a_hand_edited_page_is_named_with_its_line(published: Project) -> None:
    path = page_path(published, "coin-post", "manager")
    edit(path, "A coin does not remember.", "A coin remembers.")
    found = verify_site(published, gather_all(published, "small")[0])
    assert [(f.check, f.file) for f in found] == [("edited-page", "site/manager/posts/coin-post.md")]
    assert "A coin remembers." in path.read_text().splitlines()[(found[0].line or 0) - 1]


def test_a_page_nobody_approved_is_named(published: Project) -> None:
    stray = page_path(published, "stray", "scientist")
    stray.write_text("# Stray")
    found = verify_site(published, gather_all(published, "small")[0])
    assert [(f.check, f.file) for f in found] == [("unapproved-page", "site/scientist/posts/stray.md")]


@pytest.mark.parametrize(
    ("name", "check"),
    [
        ("scientist/posts/sub/coin-post.md", "unapproved-file"),  # the name of an approved page, elsewhere
        ("scientist/posts/notes.txt", "unapproved-file"),
        ("assets/figures/loose.svg", "unapproved-figure"),
        ("assets/data/scientist/sub/deep.json", "unapproved-file"),
    ],
)
def test_what_lies_beside_pages_and_companions_is_named(name: str, check: str, published: Project) -> None:
    path = published.site / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("words of a draft")
    found = verify_site(published, gather_all(published, "small")[0])
    assert [(f.check, f.file) for f in found] == [(check, f"site/{name}")]
    go(published)
    assert path.is_file(), "publishing removes only what it wrote"


def test_a_stale_page_is_named_and_not_each_of_its_companions(published: Project) -> None:
    edit(scientist(published), "A fair coin forgets.", "A fair coin remembers.")
    found = verify_site(published, gather_all(published, "small")[0])
    assert [(f.check, f.file) for f in found] == [
        ("stale-approval", "drafts/coin-post/scientist.md"),
        ("stale-page", "site/scientist/posts/coin-post.md"),
    ]


def test_an_edited_or_foreign_figure_is_named(published: Project) -> None:
    folder = published.site / "assets" / "figures" / "toy"
    first = sorted(folder.iterdir())[0]
    first.write_text("<svg/>")
    (folder / "foreign.svg").write_text("<svg/>")
    found = verify_site(published, gather_all(published, "small")[0])
    assert checks(found) == {"edited-figure", "unapproved-figure"}
    go(published)
    assert verify_site(published, gather_all(published, "small")[0]) == []


def test_a_page_comes_with_its_data_its_series_and_a_card(published: Project) -> None:
    data = json.loads((published.site / "assets/data/scientist/coin-post.json").read_text())
    assert data["facts"]["coin.many"]["value"] == 98.0 and data["facts"]["coin.many"]["file"].endswith("coin_study.py")
    assert data["claims"]["coin.more"]["holds"] is True
    assert data["runs"]["toy/coin"]["commit"] == "c" * 40
    assert data["sources"]["feller1968"]["year"] == "1968"
    for edition in ("scientist", "manager"):
        assert (published.site / f"assets/cards/{edition}/coin-post.png").read_bytes()[:4] == b"\x89PNG"
    series = data["figures"]["coin.heads"]["series"]
    assert sha256((published.site / series).read_bytes())[:10] in series
    assert series in (published.site / "assets/data/manager/coin-post.json").read_text()


@pytest.mark.parametrize(
    "name", ["assets/data/scientist/coin-post.json", "assets/cards/manager/coin-post.png", "assets/series/toy/*.csv"]
)
def test_an_edited_missing_or_foreign_companion_is_named(name: str, published: Project) -> None:
    (path,) = published.site.glob(name)
    before = path.read_bytes()
    path.write_bytes(draw_card("Other", "manager", 9, "S", None) if path.suffix == ".png" else before + b" ")
    assert "edited-file" in checks(verify_site(published, gather_all(published, "small")[0]))
    assert "published" in [p.outcome for p in go(published)]
    assert path.read_bytes() == before
    path.unlink()
    assert "missing-file" in checks(verify_site(published, gather_all(published, "small")[0]))
    go(published)
    foreign = path.with_name("foreign" + path.suffix)
    foreign.write_bytes(before)
    found = verify_site(published, gather_all(published, "small")[0])
    assert [(f.check, f.file) for f in found] == [("unapproved-file", published.relative(foreign))]
    go(published)
    assert not foreign.exists() and verify_site(published, gather_all(published, "small")[0]) == []


def test_publishing_one_post_leaves_the_companions_of_others(published: Project) -> None:
    stray = page_path(published, "stray", "scientist")
    stray.write_text("# Stray")
    own = published.site / "assets" / "data" / "scientist" / "stray.json"
    own.write_text("{}")
    go(published)
    assert own.is_file()
    stray.unlink()
    go(published)
    assert not own.exists()


def test_a_forged_approval_does_not_hold(published: Project) -> None:
    path = published.drafts / "coin-post" / "reviews.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[0]["snapshot"]["facts"]["coin.many"]["description"] = "forged"
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n")
    found = go(published)[0].findings
    assert [f.check for f in found] == ["stale-approval"]


def test_sending_back_needs_a_reason_and_instructs_the_next_draft(drafted: Project) -> None:
    with pytest.raises(CannotRun, match="needs a reason"):
        decide(drafted, the_post(drafted), "manager", "sent-back", "Ada")
    decide(drafted, the_post(drafted), "manager", "sent-back", "Ada", reason="Open with the bank.")
    assert edition_state(drafted, the_post(drafted), "manager").state == "sent-back"


def test_an_approval_of_something_else_than_was_seen_is_not_recorded(drafted: Project) -> None:
    seen = edition_state(drafted, the_post(drafted), "scientist")
    edit(scientist(drafted), "A fair coin forgets.", "A fair coin remembers.")
    with pytest.raises(CannotRun, match="changed while it was under review"):
        decide(drafted, the_post(drafted), "scientist", "approved", "Ada", seen=seen)
    assert not (drafted.drafts / "coin-post" / "reviews.jsonl").exists()


def test_of_two_reviewers_the_second_is_told_what_the_first_decided(drafted: Project) -> None:
    first = second = edition_state(drafted, the_post(drafted), "scientist", queue=True)
    confirmed = [queued(finding) for finding in first.queue]
    decide(drafted, the_post(drafted), "scientist", "approved", "Ada", seen=first, confirmed=confirmed)
    with pytest.raises(CannotRun, match=r"meanwhile drafts/coin-post/scientist.md was approved by Ada; nothing was re"):
        decide(drafted, the_post(drafted), "scientist", "sent-back", "Bob", reason="Too short.", seen=second)
    assert [review.who for review in load_reviews(drafted, "coin-post")] == ["Ada"]


@pytest.mark.parametrize(
    ("old", "new", "check"),
    [
        ("A fair coin forgets.", "A fair coin shows {val}`coin.meny` heads.", "unknown-key"),
        ("A fair coin forgets.", "A fair coin shows 98 heads.", "typed-number"),
        ("A fair coin forgets.", "It took three throws and twice as many heads.", "typed-number"),
        ("A fair coin forgets.", "{claim}`coin.false|Fewer heads came.`", "false-claim"),
        ("A fair coin forgets.", "{todo}`say why`", "todo"),
        ("A fair coin forgets.", "See {cite}`fellar1968`.", "unknown-source"),
        ("A fair coin forgets.", "Feller et al. say so.", "free-citation"),
        ("A fair coin forgets.", "<script>alert(1)</script>", "raw-html"),
        ("A fair coin forgets.", "{val} coin.many heads", "unresolved-role"),
        ("{#throws}", "{#throw}", "heading-id"),
        ("\n{fig}`coin.heads`\n", "\n![a](x.png)\n", "foreign-image"),
    ],
)
def test_errors_block_approval_with_their_place(drafted: Project, old: str, new: str, check: str) -> None:
    edit(scientist(drafted), old, new)
    state = edition_state(drafted, the_post(drafted), "scientist")
    found = [f for f in state.errors if f.check == check]
    assert found, [str(f) for f in state.findings]
    assert found[0].file == "drafts/coin-post/scientist.md" and found[0].line is not None and found[0].fix
    with pytest.raises(CannotRun, match="cannot be approved"):
        decide(drafted, the_post(drafted), "scientist", "approved", "Ada")
