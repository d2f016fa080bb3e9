"""The commands about the plan as a person types them: answers, messages, exit codes, and what they leave on disk."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from icalendar import Calendar

from pipeline.project import Project
from tests.cli.test_commands import forge
from tests.pipeline.plan_vault import BIB, write_plan


@pytest.fixture
def planned(project: Project) -> Path:
    """The small project with a whole plan around its week."""
    write_plan(project.notes)
    bib = project.notes / "references.bib"
    bib.write_text(bib.read_text() + BIB)
    return project.root


def state(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted((root / "notes").rglob("*.*"))}


def changes(before: dict[str, bytes], after: dict[str, bytes]) -> dict[str, tuple[list[bytes], list[bytes]]]:
    """File -> (lines that went, lines that came)."""
    found = {}
    for name in {*before, *after}:
        old, new = before.get(name, b"").splitlines(True), after.get(name, b"").splitlines(True)
        if old != new:
            found[name] = [line for line in old if line not in new], [line for line in new if line not in old]
    return found


def ran(root: Path, *words: str, code: int = 0, stdin: str = "") -> str:
    done: subprocess.CompletedProcess[str] = forge(*words, cwd=root, stdin=stdin)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def test_the_vault_is_sound(planned: Path) -> None:
    assert "0 findings" in ran(planned, "vault", "check")


def test_next_on_three_days(planned: Path) -> None:
    assert "Tuesday, 2025-08-05 · week 1 of 2: Coins" in ran(planned, "next", "--on", "2025-08-05")
    assert "review What a coin knows" in ran(planned, "next", "--on", "2025-08-07")
    after = ran(planned, "next", "--on", "2026-11-21")
    assert "the plan's 2 weeks ended on 2025-08-18" in after and "forge plan --start 2026-11-23 --dry-run" in after
    assert "2025-02-30" in ran(planned, "next", "--on", "2025-02-30", code=2)
    answer = json.loads(ran(planned, "next", "--on", "2025-08-05", "--json"))
    assert answer["tasks"][0] == {"what": "session 1: Coins, thrown, 2.5 hours", "command": "forge materials session 1"}


def test_plan_shows_entries_topics_and_counts(planned: Path) -> None:
    whole = ran(planned, "plan", "--on", "2025-08-06")
    assert "Coins" in whole and "Overdue on 2025-08-06" in whole
    assert "Attention: Flash Attention; Sparse attention" in whole
    cluster = ran(planned, "plan", "cluster", "1.1")
    assert "An Introduction to Probability Theory and Its Applications, ch. 3 · Feller (1968)" in cluster
    assert "[ ] I have thrown some" in cluster and "studied together cluster 2.1" in cluster
    assert "paired with 2.1 Attention Mechanisms, primary here" in cluster and "    the hard part\n" in cluster
    assert "Time (150 of 150 minutes given out)" in ran(planned, "plan", "session", "01")
    assert "1 part of 8 written: The set-up" in ran(planned, "plan", "lecture", "1")
    assert "is answered by   study toy/coin" in ran(planned, "plan", "course", "1")
    assert "builds on week 1" in ran(planned, "plan", "week", "2")
    topic = ran(planned, "plan", "topic", "self", "attention")
    assert "Attention Mechanisms" in topic and "vaswani2017" in topic and "Course weeks\n" in topic
    assert json.loads(ran(planned, "plan", "counts", "--json"))["roadmap"]["clusters"] == 2
    assert json.loads(ran(planned, "plan", "cluster", "1.1", "--json"))["criteria"][1]["ticked"] is False


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["plan", "clutser", "1.1"], "did you mean 'cluster'?"),
        (["plan", "cluster"], "which cluster?"),
        (["plan", "cluster", "1.11"], "no cluster 1.11; there are 1.1, 2.1"),
        (["plan", "week", "99"], "no week 99; there are 1-2"),
        (["plan", "7"], "fix: forge plan week 7"),
        (["plan", "1.2"], "fix: forge plan cluster 1.2"),
        (["plan", "topic", "atention"], "did you mean 'attention'?"),
        (["plan", "week", "1", "--start", "2026-11-23"], "--start moves the whole plan"),
        (["plan", "--dry-run"], "--dry-run goes with --start"),
        (["done", "week", "1"], "follows from its posts"),
        (["done", "cluster", "9.9"], "no cluster 9.9"),
        (["start", "clutser", "1.1"], "did you mean 'cluster'?"),
        (["materials", "lecture", "1"], "kinds are session, cluster"),
        (["gap", "add", " "], "needs words"),
        (["new", "week", "1"], "exists already"),
        (["resource", "add", "--title", "X", "--url", "", "--authors", "A", "--year", "soon"], "'soon' is no year"),
        (["resource", "add", "--title", "X", "--url", ""], "Authors is missing"),
        (["resource", "add", "--title", "", "--url", ""], "it cannot be empty"),
    ],
)
def test_what_cannot_be_done_says_why(planned: Path, words: list[str], says: str) -> None:
    before = state(planned)
    assert says in ran(planned, *words, code=2)
    assert state(planned) == before


def test_start_and_done_rewrite_one_property(planned: Path) -> None:
    before = state(planned)
    assert "planned → in-progress" in ran(planned, "start", "cluster", "2.1")
    first = changes(before, state(planned))
    assert first == {"notes/roadmap/2.1-attention.md": ([], [b"status: in-progress\n"])}
    refused = ran(planned, "done", "cluster", "1.1", code=1)
    assert "notes/roadmap/1.1-coins.md:24: [ ] I have thrown some" in refused and "I can explain" not in refused
    note = planned / "notes" / "roadmap" / "1.1-coins.md"
    note.write_text(note.read_text().replace("- [ ]", "- [x]"))
    middle = state(planned)
    assert "in-progress → done" in ran(planned, "done", "cluster", "1.1")
    assert changes(middle, state(planned)) == {
        "notes/roadmap/1.1-coins.md": ([b"status: in-progress   # since July\n"], [b"status: done   # since July\n"])
    }
    assert "done already" in ran(planned, "done", "cluster", "1.1")
    assert "0 findings" in ran(planned, "vault", "check")


def test_a_note_whose_other_bytes_would_change_is_left(planned: Path) -> None:
    note = planned / "notes" / "roadmap" / "2.1-attention.md"
    for raw in (note.read_bytes() + b"caf\xe9\n", note.read_text().encode("utf-16")):
        note.write_bytes(raw)
        said = ran(planned, "start", "cluster", "2.1", code=2)
        assert "nothing was changed" in said and "save it as UTF-8" in said
        assert note.read_bytes() == raw


def test_a_note_stays_the_file_it_is(planned: Path, tmp_path: Path) -> None:
    note = planned / "notes" / "roadmap" / "2.1-attention.md"
    elsewhere = tmp_path / "elsewhere.md"
    elsewhere.write_bytes(b"\xef\xbb\xbf" + note.read_text().replace("\n", "\r\n").encode())
    elsewhere.chmod(0o600)
    before = elsewhere.read_bytes()
    note.unlink()
    note.symlink_to(elsewhere)
    ran(planned, "start", "cluster", "2.1")
    assert note.is_symlink() and elsewhere.stat().st_mode & 0o777 == 0o600
    assert elsewhere.read_bytes() == before.replace(b"\r\n---\r\n", b"\r\nstatus: in-progress\r\n---\r\n")


def test_a_cluster_that_says_nowhere_what_it_takes_is_not_done(planned: Path) -> None:
    said = ran(planned, "done", "cluster", "2.1", code=1)
    assert "notes/roadmap/2.1-attention.md says nowhere" in said and "## Completion criteria" in said


def test_what_cannot_be_written_is_said(planned: Path) -> None:
    (planned / "a-file").write_text("")
    said = ran(planned, "calendar", "a-file/plan.ics", code=2)
    assert said.startswith("forge: a-file: ")


def test_a_broken_note_is_told_by_its_own_findings(planned: Path) -> None:
    (planned / "notes" / "plan" / "week-02.md").write_text("---\ntitle: a: b\n---\n")
    (planned / "notes" / "roadmap" / "2.1-attention.md").write_text("---\nstatus: [\n---\n")
    said = ran(planned, "plan", "week", "2", code=2)
    assert "week 2 cannot be used" in said and "notes/plan/week-02.md:2" in said and "roadmap" not in said
    assert "cluster 2.1 cannot be used" in ran(planned, "start", "cluster", "2.1", code=2)


def test_moving_the_plan_needs_every_date_and_no_more(planned: Path) -> None:
    (planned / "notes" / "plan" / "week-02.md").write_text("---\ntitle: a: b\n---\n")
    assert "7 dates moved" in ran(planned, "plan", "--start", "2026-11-23")
    note = planned / "notes" / "sprint" / "session-02.md"
    note.write_text(note.read_text().replace("date: 2026-11-26", "date: 20261126"))
    before = state(planned)
    said = ran(planned, "plan", "--start", "2025-08-05", code=2)
    assert "nothing was moved" in said and "did you mean 2026-11-26?" in said and "week-02" not in said
    assert state(planned) == before
    note.write_text(note.read_text().replace("date: 20261126\n", ""))
    assert json.loads(ran(planned, "plan", "--start", "2026-11-23", "--json")) == {"moves": [], "written": False}


def test_moving_the_plan(planned: Path) -> None:
    before = state(planned)
    dry = ran(planned, "plan", "--start", "2026-11-23", "--dry-run")
    assert "notes/sprint/session-02.md:6" in dry and "2025-08-08 Fri → 2026-11-26 Thu" in dry
    assert state(planned) == before
    assert "7 dates moved in 4 notes" in ran(planned, "plan", "--start", "2026-11-23")
    assert changes(before, state(planned))["notes/sprint/session-02.md"] == (
        [b"date: 2025-08-08\n"],
        [b"date: 2026-11-26\n"],
    )
    assert "week 1 of 2" in ran(planned, "next", "--on", "2026-11-23")
    ran(planned, "plan", "--start", "2025-08-05")
    assert state(planned) == before


def test_gaps_are_noted_and_listed(planned: Path) -> None:
    before = state(planned)
    ran(planned, "gap", "add", "why coins forget again", "--cluster", "1.1", "--on", "2026-11-21")
    line = b"- [ ] 2026-11-21: why coins forget again ([[roadmap/1.1-coins|1.1]])\n"
    assert changes(before, state(planned)) == {"notes/roadmap/index.md": ([], [line])}
    assert "noted already" in ran(planned, "gap", "add", "Why coins forget again")
    assert "noted in" in ran(planned, "gap", "add", "coins"), "a part of another gap is another gap"
    assert "why coins forget again" in ran(planned, "gap", "list")
    assert "0 findings" in ran(planned, "vault", "check")


def test_a_resource_is_added_by_answers_and_by_options(planned: Path) -> None:
    before = state(planned)
    answers = [
        "Fair Coins", "example.org/fair", "https://example.org/fair", "Feller, W.", "nineteen", "", "papr", "paper",
        "1969", "coins, bets", "9.9", "1.1", "primry", "primary", "what is fair",
    ]  # fmt: skip
    said = ran(planned, "resource", "add", stdin="\n".join(answers))
    for told in ("write it in full", "'nineteen' is no year", "did you mean 'paper'?", "Year (a paper needs one)",
                 "it may suit cluster 1.1, Coins", "there are 1.1, 2.1", "did you mean 'primary'?"):  # fmt: skip
        assert told in said
    gone = {name: old for name, (old, _) in changes(before, state(planned)).items()}
    assert gone == {"notes/references.bib": [], "notes/roadmap/1.1-coins.md": []}
    line = b'    - {source: feller1969, note: "what is fair"}\n'
    assert line in (planned / "notes/roadmap/1.1-coins.md").read_bytes()
    assert "feller1969" in ran(planned, "plan", "topic", "fair", "bet"), "its title does not name it, its topics do"
    again = ran(planned, "resource", "add", "--title", "Another name", "--url", "http://www.example.org/fair/",
                "--cluster", "2.1", "--priority", "video")  # fmt: skip
    assert "feller1969 is there already, with the same address" in again
    assert "feller1969 added to cluster 2.1" in again and "references.bib" not in again
    assert "0 errors" in ran(planned, "sources", "check")


def test_a_tool_needs_no_year(planned: Path) -> None:
    words = ["--title", "T & Co 100%", "--authors", "{OpenAI}", "--kind", "tool", "--url", "https://x.org/a_b"]
    assert "openai added" in ran(planned, "resource", "add", *words, "--year", "", "--cluster", "")
    assert "0 errors" in ran(planned, "sources", "check")
    paper = ["--title", "P", "--authors", "A", "--kind", "paper", "--url", "", "--year", ""]
    before = state(planned)
    assert "a paper needs the year" in ran(planned, "resource", "add", *paper, code=2)
    assert state(planned) == before
    bib = planned / "notes" / "references.bib"
    bib.write_bytes(bib.read_bytes() + b"% caf\xe9\n")
    before = state(planned)
    assert "is not UTF-8; nothing was written" in ran(planned, "resource", "add", *paper[:-1], "2026", code=2)
    assert state(planned) == before


def test_materials_are_one_paste(planned: Path) -> None:
    lines = ran(planned, "materials", "cluster", "1.1").splitlines()
    assert lines == [
        "https://example.org/feller#page=4", "https://arxiv.org/abs/1706.03762", "", "Without an address:",
        "- An Introduction to Probability Theory and Its Applications", "",
        "Files:", "notes/roadmap/1.1-coins.md", "notes/roadmap/2.1-attention.md",
    ]  # fmt: skip
    assert ran(planned, "materials", "session", "1").splitlines()[-2:] == [
        "notes/sprint/session-01.md", "notes/roadmap/1.1-coins.md",
    ]  # fmt: skip
    assert "First things" in ran(planned, "materials", "session", "1", "--titles")
    answer = json.loads(ran(planned, "materials", "session", "1", "--json"))
    assert [material["group"] for material in answer["materials"]] == ["First things", "First things"]
    assert answer["files"] == ["notes/sprint/session-01.md", "notes/roadmap/1.1-coins.md"]
    assert ran(planned, "materials", "cluster", "2.1").startswith("Files:\n")


def test_the_calendar_and_a_new_week(planned: Path) -> None:
    assert ".forge/plan.ics" in ran(planned, "calendar", "--on", "2025-08-13")
    data = (planned / ".forge" / "plan.ics").read_bytes()
    assert Calendar.from_ical(data).walk("VEVENT")
    assert ran(planned, "calendar", "-", "--on", "2025-08-13").encode().splitlines() == data.splitlines()
    ran(planned, "new", "week", "17")
    assert "exists already" in ran(planned, "new", "week", "17", code=2)
    assert "0 findings" in ran(planned, "vault", "check")


def test_one_bad_note_stops_nothing(planned: Path) -> None:
    (planned / "notes" / "roadmap" / "1.1-coins.md").write_text("---\nstatus: [\n---\n")
    status = ran(planned, "status", "--on", "2025-08-06")
    assert "clusters" in status and "to mend: forge vault check" in status and "Week 1: Coins" in status
    assert "session 1" in ran(planned, "next", "--on", "2025-08-05")
    found = ran(planned, "vault", "check", code=1)
    assert "notes/roadmap/1.1-coins.md:2" in found and "fix:" in found
    assert "yaml.malformed" in ran(planned, "plan", "cluster", "1.1", code=2)


def test_status_is_kept_and_an_edit_costs_only_what_it_concerns(planned: Path) -> None:
    week = planned / "notes" / "plan" / "week-02.md"
    week.write_text(week.read_text().replace(', study: "toy/coin"', ""))
    first = ran(planned, "status", "--on", "2025-08-06")
    assert "only planned yet: weeks 2 (forge plan)" in first and "coin-post · scientist" in first
    kept = (planned / ".forge" / "status.json").read_bytes()
    (planned / "notes" / "roadmap" / "index.md").write_text("---\ntype: roadmap\n---\n")
    ran(planned, "status", "--on", "2025-08-06")
    assert (planned / ".forge" / "status.json").read_bytes() == kept, "no week rests on that note"
    (planned / ".forge" / "status.json").write_text("[1]")
    (planned / ".forge" / "dashboard.json").write_text('{"hash": 1}')
    assert "coin-post · scientist" in ran(planned, "status")
    note = planned / "notes" / "plan" / "week-01.md"
    note.write_text(note.read_text().replace('title: "Coins"', 'title: "Coins again"'))
    assert "Week 1: Coins again" in ran(planned, "status")


def test_without_a_network_the_bibliography_says_so(planned: Path) -> None:
    bib = planned / "notes" / "references.bib"
    bib.write_text(bib.read_text() + "@article{late, author={A}, title={T}, year={2999}}\n")
    said = ran(planned, "sources", "check", "--online", "--arxiv", "http://127.0.0.1:1/", code=2)
    assert "cannot be reached" in said and "needs no network" in said
    assert "the year 2999 cannot be" in said, "what needs no network is told all the same"
