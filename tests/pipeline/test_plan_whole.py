"""The whole plan reads from its notes; what does not fit, alone or together, is named with file, line, key and fix."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

import pytest

from pipeline.finding import Finding
from pipeline.plan import Plan, Topic, is_plan, load_plan
from pipeline.vault import Vault
from tests.pipeline.plan_vault import NOTES, write_plan
from tests.toy_project import NOTE

ROOT = Path(__file__).parents[2]


def plan(folder: Path, path: str = "", old: str = "", new: str = "", **more: str) -> tuple[Plan, list[Finding]]:
    notes = folder / "notes"
    write_plan(notes, {path: (old, new)} if old else None)
    (notes / "plan" / "week-01.md").write_text(NOTE)
    for name, text in more.items():
        (notes / name).parent.mkdir(parents=True, exist_ok=True)
        (notes / name).write_text(text)
    return load_plan(Vault.load(notes))


def test_every_kind_of_note_reads_whole(tmp_path: Path) -> None:
    made, findings = plan(tmp_path)
    assert [str(finding) for finding in findings] == []
    assert (list(made.weeks), list(made.clusters), list(made.sessions)) == ([1, 2], ["1.1", "2.1"], [1, 2])
    assert (list(made.lectures), list(made.course_weeks)) == ([1, 2], [1])
    assert made.schedule.start == datetime.date(2025, 8, 5)
    assert [habit.days for habit in made.schedule.rhythm] == [(0, 1, 2), (3,), (4,), (5, 6)]
    assert made.schedule.backlog == (Topic("Attention", (Topic("Flash Attention"), Topic("Sparse attention"))),)
    coins = made.clusters["1.1"]
    assert (coins.status, coins.pair, coins.reading_time) == ("in-progress", "roadmap/2.1-attention.md", "12-15 min")
    first, second = coins.resources["primary"]
    assert (first.source, first.where, first.line) == ("feller1968", "ch. 3", 16)
    assert (second.where, second.link, second.note) == ("ch. 4", "https://example.org/feller#page=4", "the hard part")
    assert [(box.text, box.ticked, box.line) for box in coins.criteria] == [
        ("I can explain coins", True, 23), ("I have thrown some", False, 24),
    ]  # fmt: skip
    session = made.sessions[1]
    assert session.time == ((30, "Throw"), (120, "Think"))
    assert session.clusters == ("roadmap/1.1-coins.md",)
    assert [r.text or r.source for r in session.materials["First things"]] == ["feller1968", "Everything from before"]
    assert [experiment.study for experiment in made.weeks[2].experiments] == ["", "toy/coin"]
    assert [part.name for part in made.lectures[1].written] == ["set-up"], "a comment is not a part that was written"
    assert made.series.paths[0].steps == (((1, 2), "in order"),)
    assert made.roadmap.integration[1].secondary == "Review of everything"
    assert [gap.ticked for gap in made.roadmap.gaps] == [True]


@pytest.mark.parametrize(
    ("path", "old", "new", "check", "line", "key", "fix"),
    [
        ("roadmap/1.1-coins.md", "in-progress ", "inprogress ", "plan.unknown-status", 10, "status", "did you mean"),
        ("roadmap/1.1-coins.md", "in-progress ", "7 ", "plan.wrong-type", 10, "status", "write `status"),
        ("roadmap/1.1-coins.md", "in-progress ", "[done] ", "plan.wrong-type", 10, "status", "write `status"),
        ("roadmap/1.1-coins.md", "in-progress ", "yes ", "plan.wrong-type", 10, "status", "write `status"),
        ("roadmap/1.1-coins.md", "in-progress ", "{{status}} ", "yaml.placeholder", 10, "status", "write the value"),
        ("roadmap/1.1-coins.md", "phase: 1", "phase: 9", "plan.unknown-phase", 5, "phase", "the phases are 1, 2"),
        ("roadmap/1.1-coins.md", "phase: 1", 'phase: "1"', "plan.wrong-type", 5, "phase", "write `phase: 1`"),
        ("roadmap/1.1-coins.md", "track: A", "track: Z", "plan.unknown-track", 6, "track", "the tracks are A"),
        ("roadmap/1.1-coins.md", "2.1-attention|", "2.1-atention|", "plan.dead-link", 11, "pair", "did you mean"),
        ("roadmap/1.1-coins.md", "roadmap/2.1-attention|", "lectures/01-coins|", "plan.wrong-link", 11, "pair", "link"),
        ("roadmap/1.1-coins.md", '"[[roadmap/2.1-attention|attention]]"', "[[x]]", "plan.wrong-type", 11, "pair", "w"),
        ("roadmap/1.1-coins.md", "blog:", "blgo:", "plan.unknown-key", 7, "blgo", "did you mean 'blog'?"),
        ("roadmap/1.1-coins.md", "12-15 min", "a while", "plan.wrong-form", 8, "reading_time", "write reading_time"),
        ("roadmap/1.1-coins.md", "  video:", "  vidoe:", "plan.unknown-key", 18, "resources.vidoe", "did you mean"),
        ("roadmap/1.1-coins.md", 'cluster: "1.1"', 'cluster: "3.3"', "plan.wrong-number", 3, "cluster", 'write `clust'),
        ("roadmap/1.1-coins.md", 'cluster: "1.1"', 'cluster: "2.1"', "plan.duplicate-number", 3, "cluster", "write"),
        ("roadmap/2.1-attention.md", 'pair: "[[1.1-coins]]"', "role: primary", "plan.one-sided-pair", 11, "pair", "w"),
        ("sprint/session-01.md", "date: 2025-08-05", "date: 2025-02-30", "yaml.value", 6, "date", "write 2025-02-28"),
        ("sprint/session-01.md", "date: 2025-08-05", 'date: "2025-02-30"', "plan.wrong-date", 6, "date", "write 2025"),
        ("sprint/session-01.md", "date: 2025-08-05", "date: 2025-8-5", "plan.wrong-date", 6, "date", "did you"),
        ("sprint/session-01.md", "date: 2025-08-05", "date: 5 August 2025", "plan.wrong-date", 6, "date", "did you"),
        ("sprint/session-01.md", "date: 2025-08-05", "date:", "plan.missing-key", 6, "date", "add `date"),
        ("sprint/session-01.md", "date: 2025-08-05", 'date: "5 August"', "plan.wrong-date", 6, "date", "write it as"),
        ("sprint/session-01.md", "date: 2025-08-05", "date: soon", "plan.wrong-date", 6, "date", "write it as year"),
        ("sprint/session-01.md", "date: 2025-08-05", "date: 20250805", "plan.wrong-type", 6, "date", "did you"),
        ("sprint/session-01.md", "day: Tuesday", "day: Monday", "plan.weekday", 7, "day", "correct the one"),
        ("sprint/session-01.md", "day: Tuesday", "day: Tusday", "plan.unknown-day", 7, "day", "did you mean 'Tue"),
        ("sprint/session-01.md", "hours: 2.5", "hours: -1", "plan.wrong-type", 8, "hours", "write `hours: 2.5`"),
        ("sprint/session-01.md", "2 h:", "soon:", "plan.wrong-form", 16, "time.2.soon", "write `30 min: …`"),
        ("sprint/session-02.md", "2025-08-08", "2025-08-01", "plan.wrong-order", 6, "date", "correct one"),
        ("sprint/index.md", "end: 2025-08-12", "end: 2025-08-01", "plan.end-before-start", 6, "end", "swap the two"),
        ("sprint/index.md", "to: 2025-08-11", "to: 2025-08-01", "plan.end-before-start", 10, "weekly.1.to", "swap"),
        ("sprint/index.md", "end: 2025-08-12", "end: 2025-08-06", "plan.outside-sprint", 6, "end", "write `end: 2025"),
        ("lectures/01-coins.md", "[coin-post]", "[coin-pots]", "plan.unknown-post", 9, "posts.1", "did you mean"),
        ("lectures/01-coins.md", "block: foundation", "block: found", "plan.unknown-block", 6, "block", "did you mean"),
        ("lectures/01-coins.md", "studies:", 'prerequisites: ["[[lectures/02-attention]]"]\nstudies:', "plan.circle", 8,
         "prerequisites", "take one"),
        ("lectures/index.md", "lectures: 1-2, after", "lectures: 1-3, after", "plan.missing-note", 7,
         "blocks.1.lectures", "write it"),
        ("lectures/index.md", "lectures: 1-2, after", "lectures: 2-1, after", "plan.wrong-form", 7,
         "blocks.1.lectures", "write lectures: 1-2"),
        ("course/week-01.md", "month: 1", "month: 4", "plan.unknown-month", 5, "month", "the months are 1"),
        ("course/week-01.md", "study: toy/coin", "project: x", "plan.two-tasks", 9, "project", "keep one"),
        ("course/index.md", "weeks: 1\n", "weeks: 2\n", "plan.missing-note", 4, "weeks", "write course/week-02.md"),
        ("plan/index.md", "days: Mon-Wed", "days: Mon-Wend", "plan.wrong-form", 11, "rhythm.1.days", "did you"),
        ("plan/week-02.md", "earlier: [1]", "earlier: [0]", "plan.unknown-week", 16, "posts.1.earlier", "the weeks"),
        ("plan/week-02.md", "earlier: [1]", "earlier: [coin-pots]", "plan.unknown-post", 16, "posts.1.earlier", "did"),
        ("plan/week-02.md", "earlier: [1]", "earlier: [heads]", "plan.not-earlier", 16, "posts.1.earlier", "name"),
        ("topics.md", '"fair bet"', '"Self Attentions"', "plan.shared-topic", 5, "topics.coins", "keep it with one"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(
    tmp_path: Path, path: str, old: str, new: str, check: str, line: int, key: str, fix: str
) -> None:
    made, findings = plan(tmp_path, path, old, new)
    found = [f for f in findings if f.check == check]
    where = path if check not in ("plan.one-sided-pair",) else "roadmap/1.1-coins.md"
    assert [(f.file, f.line, f.key) for f in found] == [(f"notes/{where}", line, key)], findings
    assert found[0].fix.startswith(fix), found[0].fix
    assert len(made.clusters) == 2 and len(made.sessions) == 2 and len(made.lectures) == 2, "the rest still stands"


def test_two_clusters_with_one_number(tmp_path: Path) -> None:
    twin = NOTES["roadmap/2.1-attention.md"]
    made, findings = plan(tmp_path, **{"roadmap/2.1-zwilling.md": twin})
    assert made.clusters["2.1"].note.path == "roadmap/2.1-attention.md"
    (found,) = (f for f in findings if f.severity == "error")
    assert (found.check, found.place) == ("plan.duplicate-number", "notes/roadmap/2.1-zwilling.md:3")
    assert "cluster 2.1 is also notes/roadmap/2.1-attention.md" in found.message


def test_posts_of_a_week_follow_those_they_build_on(tmp_path: Path) -> None:
    text = NOTES["plan/week-02.md"].replace("earlier: [1]", "earlier: [first, coin-post]")
    text = text.replace("\n---\n", "\n  - {slug: first, title: First, brief: x}\n---\n")
    made, findings = plan(tmp_path, **{"plan/week-02.md": text})
    assert findings == []
    first, heads = made.weeks[2].posts
    assert (first.slug, heads.slug, heads.recalls, heads.earlier) == ("first", "heads", ("first", "coin-post"), ())
    assert list(made.posts) == ["coin-post", "first", "heads"]
    circle = text.replace("slug: first,", "slug: first, earlier: [heads],")
    _, findings = plan(tmp_path, **{"plan/week-02.md": circle})
    assert [(f.check, f.key) for f in findings] == [("plan.not-earlier", "posts.1.earlier")]


def test_two_notes_of_one_week(tmp_path: Path) -> None:
    twin = "---\ntype: week\nweek: 2\ntitle: Twin\n---\n"
    made, findings = plan(tmp_path, **{"plan/week-2.md": twin, "Archive/plan/week-01.md": twin})
    assert made.weeks[2].title == "Attention" and made.weeks[1].title == "Coins", "the one nearest to the top counts"
    assert [(f.check, f.place, f.key) for f in findings if f.check == "plan.duplicate-number"] == [
        ("plan.duplicate-number", "notes/Archive/plan/week-01.md:3", "week"),
        ("plan.duplicate-number", "notes/plan/week-2.md:3", "week"),
    ]


def test_what_leads_to_a_broken_note_is_no_second_error(tmp_path: Path) -> None:
    broken = {"roadmap/2.1-attention.md": "---\ntitle: A: B\n---\n", "plan/week-01.md": "---\nweek: [\n---\n"}
    made, findings = plan(tmp_path, **broken)
    assert dict(made.left_out) == {path: f"notes/{path}" for path in broken}
    assert {(f.file, f.line) for f in findings if f.severity == "error"} == {
        ("notes/roadmap/2.1-attention.md", 2), ("notes/plan/week-01.md", 2),
    }  # fmt: skip
    unread = {(f.file, f.key, f.fix) for f in findings if f.check == "plan.unread"}
    assert unread == {
        ("notes/lectures/01-coins.md", "posts.1", "mend notes/plan/week-01.md first"),
        ("notes/plan/week-02.md", "posts.1.earlier", "mend notes/plan/week-01.md first"),
        ("notes/roadmap/1.1-coins.md", "pair", "mend notes/roadmap/2.1-attention.md first"),
        ("notes/roadmap/index.md", "integration.1.secondary", "mend notes/roadmap/2.1-attention.md first"),
        ("notes/roadmap/index.md", "integration.2.primary", "mend notes/roadmap/2.1-attention.md first"),
        ("notes/sprint/session-02.md", "clusters.1", "mend notes/roadmap/2.1-attention.md first"),
    }


def test_a_note_without_a_number_in_its_name_gives_it_in_its_properties(tmp_path: Path) -> None:
    free = NOTES["roadmap/2.1-attention.md"].replace('"2.1"', '"2.10"').replace('pair: "[[1.1-coins]]"\n', "")
    made, findings = plan(tmp_path, **{"roadmap/later.md": free, "roadmap/thoughts.md": "just thoughts"})
    assert list(made.clusters) == ["1.1", "2.1", "2.10"], "in order as people count"
    assert findings == []


def test_one_broken_note_leaves_the_rest(tmp_path: Path) -> None:
    made, findings = plan(tmp_path, **{"roadmap/1.1-coins.md": "---\ntitle: A: B\n---\n", "sprint/index.md": "no"})
    assert list(made.clusters) == ["2.1"] and len(made.sessions) == 2
    errors = {(f.check, f.file) for f in findings if f.severity == "error"}
    assert ("yaml.malformed", "notes/roadmap/1.1-coins.md") in errors
    assert ("plan.no-properties", "notes/sprint/index.md") in errors


def test_a_vault_without_a_plan_has_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "notes" / "course").mkdir(parents=True)
    (tmp_path / "notes" / "course" / "week-01.md").write_text("---\ntype: diary\n---\n")
    vault = Vault.load(tmp_path / "notes")
    assert not is_plan(vault)
    (tmp_path / "notes" / "course" / "week-01.md").unlink()
    made, findings = load_plan(Vault.load(tmp_path / "notes"))
    assert findings == [] and not made.weeks and made.schedule.start is None


EXAMPLES = re.findall(r"```yaml\n(---\n.*?)```", (ROOT / "docs" / "plan-format.md").read_text(), re.DOTALL)
PLACES = {
    "week": "plan/week-02.md", "plan": "plan/index.md", "cluster": "roadmap/1.2-markov-decision-processes.md",
    "roadmap": "roadmap/index.md", "session": "sprint/session-03.md", "sprint": "sprint/index.md",
    "lecture": "lectures/03-value-functions.md", "lectures": "lectures/index.md", "course-week": "course/week-03.md",
    "course": "course/index.md", "topics": "topics.md",
}  # fmt: skip


def test_the_examples_of_the_documentation_read_as_they_stand(tmp_path: Path) -> None:
    kinds = [re.search(r"^type: (.*)$", example, re.MULTILINE)[1] for example in EXAMPLES]  # type: ignore[index]
    assert sorted(kinds) == sorted(PLACES)
    for kind, example in zip(kinds, EXAMPLES, strict=True):
        path = tmp_path / "notes" / PLACES[kind]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(example)
    made, findings = load_plan(Vault.load(tmp_path / "notes"))
    # Alone, the examples miss their neighbours; nothing else is wrong with them.
    expected = {"plan.dead-link", "plan.missing-note", "plan.unknown-post", "plan.unknown-week", "plan.weekday"}
    assert {f.check for f in findings} <= expected, [str(f) for f in findings if f.check not in expected]
    assert (len(made.weeks), len(made.clusters), len(made.sessions), len(made.lectures)) == (1, 1, 1, 1)
    assert made.topics.of(["The self-attentions of it"]) == ("attention",)


def test_the_projects_own_plan_has_no_errors() -> None:
    _, findings = load_plan(Vault.load(ROOT / "notes"))
    assert [str(finding) for finding in findings if finding.severity != "review"] == []
