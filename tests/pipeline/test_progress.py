"""What a day asks for, what is overdue, the calendar of it, and moving the plan: from the notes, on given days."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from icalendar import Calendar

from experiments.kit.errors import CannotRun
from pipeline.agenda import agenda
from pipeline.calendar import calendar
from pipeline.graph import concept_graph
from pipeline.plan import load_plan
from pipeline.progress import Progress, Published, read_published
from pipeline.redate import moved, moves
from pipeline.sources import parse_sources
from pipeline.vault import Vault
from tests.pipeline.plan_vault import BIB, write_plan
from tests.toy_project import NOTE

SOURCES = parse_sources(BIB)[0]
BOTH = {("coin-post", "scientist"): "2025-08-07", ("coin-post", "manager"): "2025-08-07"}


def seen(
    folder: Path, on: str, pages: dict[tuple[str, str], str] | None = None, **changes: tuple[str, str]
) -> Progress:
    notes = folder / "notes"
    write_plan(notes, {path.replace("__", "/").removesuffix(".md") + ".md": change for path, change in changes.items()})
    (notes / "plan" / "week-01.md").write_text(NOTE)
    plan, _ = load_plan(Vault.load(notes))
    return Progress(plan, Published(pages or {}), datetime.date.fromisoformat(on))


def tasks(progress: Progress) -> list[str]:
    return [task.what for task in agenda(progress, SOURCES, {"toy/coin"}).tasks]


def test_progress_is_computed(tmp_path: Path) -> None:
    progress = seen(tmp_path, "2025-08-13", BOTH)
    assert progress.posts("scientist") == (1, 2) and progress.posts("manager") == (1, 2)
    assert progress.statuses("week") == {"planned": 0, "in-progress": 1, "done": 1}, "week 2 is the one we are in"
    assert progress.statuses("cluster") == {"planned": 1, "in-progress": 1, "done": 0}
    assert [(phase.title, done, of) for phase, done, of in progress.phases()] == [("Decisions", 0, 1), ("Text", 0, 1)]
    assert progress.week_number == 2
    half = seen(tmp_path, "2025-01-01", {("coin-post", "scientist"): ""})
    assert half.statuses("week") == {"planned": 1, "in-progress": 1, "done": 0}


def test_a_study_day(tmp_path: Path) -> None:
    progress = seen(tmp_path, "2025-08-05")
    today = agenda(progress, SOURCES, {"toy/coin"})
    assert (today.where, today.habit) == ("week 1 of 2: Coins", "Study and code (4-5 hours)")
    assert [(task.what, task.command) for task in today.tasks] == [
        ("session 1: Coins, thrown, 2.5 hours", "forge materials session 1"),
        ("study coins", "forge plan week 1"),
        ("read feller1968, ch. 3", ""),
        ("experiment: Throw coins", "forge run toy/coin"),
    ]
    assert today.overdue == ()
    assert [due.what for due in today.coming][:1] == ["monthly review: the finished clusters and the knowledge gaps"]


def test_a_review_day(tmp_path: Path) -> None:
    progress = seen(tmp_path, "2025-08-07")
    assert tasks(progress) == [
        "bring the drafts up to date", "review What a coin knows",
        "monthly review: the finished clusters and the knowledge gaps",
    ]  # fmt: skip
    assert [due.what for due in progress.overdue()] == ["session 1: Coins, thrown"]
    assert tasks(seen(tmp_path, "2025-08-14", BOTH))[:2] == ["bring the drafts up to date", "review What a head sees"]


def test_a_free_day_and_days_outside(tmp_path: Path) -> None:
    assert tasks(seen(tmp_path, "2025-08-09")) == [
        "measure at the full budget", "go on with cluster 1.1, Coins: 3 resources not ticked as read",
        "look ahead to week 2: Attention",
    ]  # fmt: skip
    before = agenda(seen(tmp_path, "2025-08-04"), SOURCES, ())
    assert before.where == "the plan begins in 1 day, on 2025-08-05"
    assert [task.command for task in before.tasks] == ["forge plan week 1"]
    never = seen(tmp_path, "2025-08-04", plan__index=("start: 2025-08-05\n", ""))
    assert tasks(never) == ["say when the plan begins: `start: 2025-08-04` in notes/plan/index.md"]
    after = agenda(seen(tmp_path, "2026-11-21"), SOURCES, ())
    assert after.where == "the plan's 2 weeks ended on 2025-08-18"
    assert after.tasks[0].command == "forge plan --start 2026-11-23 --dry-run"
    assert [due.date.isoformat() for due in after.overdue] == ["2025-08-05", "2025-08-11", "2025-08-18"]


def test_a_finished_cluster_asks_for_its_post(tmp_path: Path) -> None:
    change = {"roadmap__1.1-coins.md": ("in-progress ", "done ")}
    assert [cluster.number for cluster in seen(tmp_path, "2025-08-09", **change).unwritten()] == ["1.1"]
    assert seen(tmp_path, "2025-08-09", BOTH, **change).unwritten() == []


def test_the_calendar_is_read_by_its_library(tmp_path: Path) -> None:
    progress = seen(tmp_path, "2025-08-13")
    data = calendar(progress)
    assert data == calendar(progress) and b"\r\n" in data
    events = Calendar.from_ical(data).walk("VEVENT")
    named = {str(event["summary"]): event for event in events}
    assert named["Session 1: Coins, thrown"].decoded("dtstart") == datetime.date(2025, 8, 5)
    assert "Session 2: Heads" not in named, "it is done"
    late = named["Overdue since 2025-08-11: Post of week 1: What a coin knows"]
    assert late.decoded("dtstart") == datetime.date(2025, 8, 13)
    assert late.decoded("dtend") == datetime.date(2025, 8, 14)
    assert named["Review the drafts of week 2: Attention"].decoded("dtstart") == datetime.date(2025, 8, 14)
    assert len({str(event["uid"]) for event in events}) == len(events)
    later = Calendar.from_ical(calendar(seen(tmp_path, "2025-08-14"))).walk("VEVENT")
    assert {str(event["uid"]) for event in later} == {str(event["uid"]) for event in events}


def test_moving_the_plan_keeps_the_gaps(tmp_path: Path) -> None:
    progress = seen(tmp_path, "2025-08-05")
    planned = moves(progress.plan, datetime.date(2026, 11, 23))
    assert {(move.new - move.old).days for move in planned} == {475}
    assert [(move.note.path, move.path, str(move.new)) for move in planned] == [
        ("plan/index.md", ("start",), "2026-11-23"), ("sprint/index.md", ("start",), "2026-11-23"),
        ("sprint/index.md", ("end",), "2026-11-30"), ("sprint/index.md", ("weekly", 0, "from"), "2026-11-23"),
        ("sprint/index.md", ("weekly", 0, "to"), "2026-11-29"), ("sprint/session-01.md", ("date",), "2026-11-23"),
        ("sprint/session-02.md", ("date",), "2026-11-26"),
    ]  # fmt: skip
    texts = moved(planned)
    for path, text in texts.items():
        (tmp_path / "notes" / path).write_text(text)
    again, _ = load_plan(Vault.load(tmp_path / "notes"))
    back = moved(moves(again, datetime.date(2025, 8, 5)))
    write_plan(tmp_path / "there")
    for path, text in back.items():
        assert text == (tmp_path / "there" / path).read_text(), "moving there and back leaves every byte"
    assert moves(again, datetime.date(2026, 11, 23)) == []
    with pytest.raises(CannotRun, match="out of the calendar"):
        moves(again, datetime.date(9999, 12, 31))


def test_the_graph_ties_by_link_and_by_topic(tmp_path: Path) -> None:
    progress = seen(tmp_path, "2025-08-05")
    (tmp_path / "experiments" / "toy").mkdir(parents=True)
    (tmp_path / "experiments" / "toy" / "coin_study.py").write_text('TITLE = "Coins, counted"\n')
    graph = concept_graph(progress, tmp_path)
    about = graph.about("Self attention", SOURCES)
    assert (about.topic, [source.key for source in about.sources]) == ("attention", ["vaswani2017"])
    assert {node.id for node in about.nodes} == {
        ("cluster", "2.1"), ("week", "2"), ("lecture", "2"), ("course", "1"),
    }  # fmt: skip
    assert graph.about("FAIR BETS", SOURCES).topic == "coins"
    outside = graph.about("heads", SOURCES)
    assert (outside.topic, [n.id for n in outside.nodes]) == ("", [("post", "heads"), ("session", "2")])
    assert graph.nodes["study", "toy/coin"].title == "Coins, counted"
    ties = {(says, node.id) for node, says in graph.neighbours(("study", "toy/coin"))}
    assert ties == {
        ("is measured in", ("week", "1")), ("is measured in", ("week", "2")),
        ("carries", ("lecture", "1")), ("answers", ("course", "1")),
    }  # fmt: skip
    assert ("studied together", ("cluster", "2.1")) in {(s, n.id) for n, s in graph.neighbours(("cluster", "1.1"))}
    assert set(graph.topics) == {"attention", "coins"}


def test_a_study_whose_words_name_no_topic_is_tied_by_the_tags_of_its_notes(tmp_path: Path) -> None:
    before = '{text: "More coins", study: "toy/coin"}'
    after = '{text: "More", study: "toy/looks"}, {text: "Fair bets", study: "toy/bets"}'
    graph = concept_graph(seen(tmp_path, "2025-08-05", **{"plan__week-02": (before, after)}), tmp_path)
    assert ("study", "toy/looks") in {node.id for node in graph.topics["attention"]}, "the week's tags"
    assert ("study", "toy/bets") not in {node.id for node in graph.topics["attention"]}, "it has a topic of its own"
    assert ("study", "toy/bets") in {node.id for node in graph.topics["coins"]}


def test_published_pages_are_read_from_the_site(tmp_path: Path) -> None:
    for edition in ("scientist", "manager"):
        (tmp_path / edition / "posts").mkdir(parents=True)
    (tmp_path / "scientist" / "posts" / "a.md").write_text("---\ntitle: A\ndate: 2026-11-21\n---\ndate: no\n")
    (tmp_path / "manager" / "posts" / "b.md").write_bytes(b"\xff no front matter")
    published = read_published(tmp_path)
    assert published.pages == {("a", "scientist"): "2026-11-21", ("b", "manager"): ""}
    assert (published.editions("a"), published.whole("a")) == (1, False)
