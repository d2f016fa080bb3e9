"""A week's properties become a `Week`; whatever does not fit the schema is a finding with its line, key and fix."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.finding import Finding
from pipeline.plan import Topic, Week, load_week, study_parts, week_numbers
from pipeline.vault import Note, Vault

GOOD = """\
type: week
week: 1
title: "RL and MDP fundamentals"
phase: "Phase 1"
topics:
  - "Markov decision processes":
      - states
      - {actions: [left, right]}
  - "Bellman equations"
core_papers:
  - source: sutton2018
    where: "ch. 3-4"
experiments:
  - text: "A solver for grid worlds"
    study: "week01_mdp/gridworlds"
  - {text: "Not yet", study: null}
wandb: ["convergence curves"]
tags: [week, rl/mdp]
aliases: [Week one]
posts:
  - slug: decision-making-101
    title: "Decision Making 101"
    brief: >-
      Begin with decisions
      everybody makes.
    description: {scientist: "For scientists.", manager: "For managers."}
    tags: [mdp]
  - slug: bellman
    title: "Bellman"
    brief: "Go deep."
    description: {scientist: S, manager: M}
    studies: ["week01_mdp/vi_vs_pi"]
    outline:
      - id: opening
        heading: "A question"
        plain_heading: "The worth"
        notes: ["[[#A question]]", "[[glossary#^mdp]]"]
        claims: [vi.fewer]
        figures: [convergence]
        listings: ["week01_mdp/value_iteration.py:sweep"]
        sources: [sutton2018]
      - id: close
        heading: "The end"
"""


def week(tmp_path: Path, front: str, number: int = 1, **others: str) -> tuple[Week | None, list[Finding]]:
    for name, text in {f"week-{number:02d}": f"---\n{front}---\n\n# Body\n", **others}.items():
        path = tmp_path / "notes" / "plan" / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return load_week(Vault.load(tmp_path / "notes"), number)


def test_a_good_week_reads_whole(tmp_path: Path) -> None:
    loaded, findings = week(tmp_path, GOOD)
    assert findings == []
    assert loaded is not None
    assert (loaded.number, loaded.title, loaded.phase) == (1, "RL and MDP fundamentals", "Phase 1")
    assert loaded.topics == (
        Topic("Markov decision processes", (Topic("states"), Topic("actions", (Topic("left"), Topic("right"))))),
        Topic("Bellman equations"),
    )
    assert [(p.source, p.where) for p in loaded.core_papers] == [("sutton2018", "ch. 3-4")]
    assert [(e.text, e.study) for e in loaded.experiments] == [
        ("A solver for grid worlds", "week01_mdp/gridworlds"),
        ("Not yet", ""),
    ]
    assert (loaded.wandb, loaded.tags) == (("convergence curves",), ("week", "rl/mdp"))
    first, second = loaded.posts
    assert (first.slug, first.brief, first.line) == ("decision-making-101", "Begin with decisions everybody makes.", 22)
    assert first.description == {"scientist": "For scientists.", "manager": "For managers."}
    assert (first.outline, first.studies) == ((), ())
    assert second.studies == ("week01_mdp/vi_vs_pi",)
    opening, close = second.outline
    assert opening.notes == ("[[#A question]]", "[[glossary#^mdp]]")
    assert (opening.claims, opening.figures, opening.sources) == (("vi.fewer",), ("convergence",), ("sutton2018",))
    assert (opening.listings, opening.plain_heading, opening.line) == (
        ("week01_mdp/value_iteration.py:sweep",), "The worth", 35,
    )  # fmt: skip
    assert (close.heading, close.notes) == ("The end", ())
    assert loaded.note.file == "notes/plan/week-01.md"


OPENING = "posts.2.outline.1"


@pytest.mark.parametrize(
    ("old", "new", "check", "line", "key", "fix"),
    [
        ("phase:", "fase:", "unknown-key", 5, "fase", "did you mean 'phase'?"),
        ('    brief: "Go deep."', "    breif: x", "unknown-key", 31, "posts.2.breif", "did you mean 'brief'?"),
        ("        claims:", "        claim:", "unknown-key", 39, f"{OPENING}.claim", "did you mean 'claims'?"),
        ('title: "Bellman"', "tags: []", "missing-key", 29, "posts.2.title", "add `title: …`"),
        ('title: "RL and MDP fundamentals"', "", "missing-key", 2, "title", "add `title: …`"),
        ("scientist: S, ", "", "missing-key", 32, "posts.2.description.scientist", "add `scientist: …`"),
        ("week: 1", "week: one", "wrong-type", 3, "week", "write `week: 1`"),
        ("week: 1", "week: 2", "wrong-week", 3, "week", "write `week: 1` or rename the note"),
        ("type: week", "type: note", "wrong-type", 2, "type", "write `type: week`"),
        ('"Bellman"', "2018", "wrong-type", 30, "posts.2.title", 'quote it: title: "2018"'),
        ("[mdp]", "mdp", "wrong-type", 28, "posts.1.tags", "write `tags: [mdp]` or one item a line"),
        ("[week, rl/mdp]", "[week, 7]", "wrong-type", 19, "tags.2", 'quote it: "7"'),
        ("{scientist: S, manager: M}", "S", "wrong-type", 32, "posts.2.description", "write `scientist"),
        ("slug: bellman", "slug: Bellman Eq", "wrong-slug", 29, "posts.2.slug", "write bellman-eq"),
        ("slug: bellman", "slug: decision-making-101", "duplicate-slug", 29, "posts.2.slug", "give one"),
        ("id: close", "id: opening", "duplicate-slug", 43, "posts.2.outline.2.id", "give one"),
        ('"[[#A question]]", ', "[[A question]], ", "wrong-type", 38, f"{OPENING}.notes.1", "put a link in quotes"),
        ('"[[#A question]]"', '"#A question"', "wrong-form", 38, f"{OPENING}.notes.1", "write it like"),
        ("iteration.py:sweep", "iteration", "wrong-form", 41, f"{OPENING}.listings.1", "write it like week01"),
        ('"week01_mdp/gridworlds"', "grid", "wrong-form", 16, "experiments.1.study", "write it like week01"),
        ("    studies:", "    earlier: [3]\n    studies:", "not-earlier", 33, "posts.2.earlier.1", "name weeks"),
        ('  - source: sutton2018\n    where: "ch. 3-4"', "  - 2018", "wrong-type", 12, "core_papers.1", "write"),
        (
            'source: sutton2018\n    where: "ch. 3-4"',
            'where: "ch. 3"',
            "missing-key",
            12,
            "core_papers.1",
            "add `source",
        ),
        (
            "    description: {scientist: S, manager: M}\n",
            "",
            "missing-key",
            29,
            "posts.2.description",
            "add `description: …`",
        ),
    ],
)
def test_what_does_not_fit_is_a_finding_at_its_line(
    tmp_path: Path, old: str, new: str, check: str, line: int, key: str, fix: str
) -> None:
    assert GOOD.count(old) == 1
    loaded, findings = week(tmp_path, GOOD.replace(old, new))
    assert loaded is not None, "one wrong key does not hide the rest"
    found = [f for f in findings if f.check == f"plan.{check}"]
    assert [(f.place, f.key) for f in found] == [(f"notes/plan/week-01.md:{line}", key)]
    assert found[0].fix.startswith(fix)


def test_all_findings_come_at_once(tmp_path: Path) -> None:
    _, findings = week(tmp_path, "type: week\nweek: 1\ntitel: x\nposts: [{slug: a}, 3]\n")
    assert [(f.check, f.line) for f in findings] == [
        ("plan.missing-key", 2), ("plan.unknown-key", 4), ("plan.missing-key", 5), ("plan.missing-key", 5),
        ("plan.wrong-type", 5),
    ]  # fmt: skip


def test_a_week_without_a_note_names_the_weeks_there_are(tmp_path: Path) -> None:
    week(tmp_path, GOOD)
    loaded, (finding,) = load_week(Vault.load(tmp_path / "notes"), 7)
    assert loaded is None
    assert (finding.check, finding.file) == ("plan.no-week", "notes/plan/week-07.md")
    assert "weeks with a note: 1" in finding.fix


def test_a_week_with_broken_properties_is_none(tmp_path: Path) -> None:
    loaded, findings = week(tmp_path, "title: A: B\n")
    assert loaded is None
    assert [(f.check, f.line) for f in findings] == [("yaml.malformed", 2)]
    (tmp_path / "notes/plan/week-01.md").write_text("no properties\n")
    loaded, findings = load_week(Vault.load(tmp_path / "notes"), 1)
    assert loaded is None
    assert [f.check for f in findings] == ["plan.no-properties"]


def test_a_duplicate_key_is_reported_once_and_the_week_loads(tmp_path: Path) -> None:
    loaded, findings = week(tmp_path, GOOD + "week: 2\n")
    assert loaded is not None and loaded.number == 1
    assert [f.check for f in findings] == ["yaml.duplicate-key"]


def test_slugs_are_unique_over_the_weeks(tmp_path: Path) -> None:
    other = "---\nweek: 2\nposts: [{slug: bellman}]\n---\n"
    _, findings = week(tmp_path, GOOD, **{"week-02": other})
    assert [(f.check, f.line) for f in findings] == [("plan.duplicate-slug", 29)]
    assert "notes/plan/week-02.md" in findings[0].message


def test_week_numbers(tmp_path: Path) -> None:
    week(tmp_path, GOOD, **{"week-12": "x", "week-03": "x", "weekly": "x"})
    assert week_numbers(Vault.load(tmp_path / "notes")) == [1, 3, 12]


@settings(max_examples=200, deadline=None)
@given(st.recursive(
    st.none() | st.booleans() | st.integers(-3, 9) | st.sampled_from(["week", "[[#A]]", "a/b", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["type", "week", "posts", "slug", "outline", "id", "notes", "topics", "earlier", "studies"]),
        inner, max_size=4),
    max_leaves=20,
))  # fmt: skip
def test_no_properties_crash_it(data: object) -> None:
    import yaml

    text = f"---\n{yaml.safe_dump(data)}---\n"
    path = "plan/week-01.md"
    vault = Vault(Path(), "notes", (path,), (), ("",), {path: Note(path, f"notes/{path}", text)})
    loaded, findings = load_week(vault, 1)
    assert (loaded is not None) == isinstance(data, dict)
    assert findings
    assert all(f.line and f.fix for f in findings)


# Study notes


def parts(text: str) -> list[tuple[str, str]]:
    return [(part.name, part.title) for part in study_parts(Note("a.md", "a.md", text))]


def test_the_eight_parts_by_their_usual_headings() -> None:
    headings = (
        "1. The Setup (What Problem Are We Solving?)", "2. Intuition First (Before The Math)",
        "3. The Math (With Running Commentary)", "4. The Code (That Actually Runs)",
        "5. The Gotchas (Where You'll Get Stuck)", "6. The Paper Trail (What To Read)",
        "7. When To Use This", "8. Exercises",
    )  # fmt: skip
    found = parts("\n\n".join(f"### {heading}\n\ntext" for heading in headings))
    assert [name for name, _ in found] == [
        "set-up", "intuition", "maths", "code", "gotchas", "paper-trail", "when-to-use", "exercises",
    ]  # fmt: skip
    assert [title for _, title in found] == list(headings)


def test_parts_follow_the_note_and_the_highest_heading_counts() -> None:
    text = "# T\n\n## Code\n\n### Intuition for the code\n\n## My *intuition*\n\n### A code path\n\n## Unrelated\n"
    assert parts(text) == [("code", "Code"), ("intuition", "My intuition")]


def test_a_note_without_parts_has_none() -> None:
    assert parts("# Diary\n\nNothing.\n") == []


def test_the_projects_own_first_week() -> None:
    vault = Vault.load(Path(__file__).parents[2] / "notes")
    loaded, findings = load_week(vault, 1)
    assert findings == []
    assert loaded is not None
    assert [post.slug for post in loaded.posts] == ["decision-making-101", "bellman-equations-explained"]
    assert [part.name for part in study_parts(loaded.note)] == [
        "set-up", "intuition", "maths", "code", "gotchas", "paper-trail", "when-to-use", "exercises",
    ]  # fmt: skip
    for post in loaded.posts:
        for section in post.outline:
            for link in section.notes:
                target = vault.resolve(link, loaded.note)
                assert target.problem is None
                assert len(vault.expand(target).text) > 100
