"""Nothing is lost and the loser is told: conflicts, stale pages, full disks, kills, and the record that is written."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from experiments.kit.record import EDITIONS
from pipeline.evidence import gather_all
from pipeline.merge import BEGIN, END, MIDDLE
from pipeline.project import Project
from pipeline.publish import publish
from pipeline.review import edition_state, load_reviews, queued
from pipeline.review_app.desk import Desk, Refused
from pipeline.transaction import locked, recover
from tests.review_app.conftest import SLUG, Served
from tests.toy_project import approve_both, the_post, write_results

QUEUE = [
    "My first bet went wrong.",
    "We threw fair coins only, and a few of them fell off the table.",
]  # what reads like an observation in the toy post


@pytest.fixture
def desk(drafted: Project) -> Desk:
    return Desk(drafted, "small", "Ada")


def source(project: Project, edition: str = "scientist") -> Path:
    return project.drafts / SLUG / f"{edition}.md"


def all_fine(desk: Desk) -> dict[str, str]:
    """Look at the post and decide every question of its queue."""
    packet = desk.packet(SLUG)
    notes = [note for sheet in packet.sheets.values() for note in sheet.queue]
    desk.memory(SLUG).queue |= {note.key: "fine" for note in notes}
    return {edition: sheet.seen.token for edition, sheet in packet.sheets.items() if sheet.seen}


# ---- saving ----


def test_a_save_writes_the_text_and_nothing_else(desk: Desk) -> None:
    sheet = desk.packet(SLUG).sheets["scientist"]
    desk.save(SLUG, "scientist", sheet.text.replace("A fair coin", "A bent coin"), sheet.hash)
    assert "A bent coin" in source(desk.project).read_text()
    assert not list(desk.project.drafts.rglob("*.tmp")) and desk.memory(SLUG).unsaved == {}


def test_a_file_that_changed_meanwhile_is_not_written_over(desk: Desk) -> None:
    sheet = desk.packet(SLUG).sheets["scientist"]
    theirs = sheet.text.replace("A fair coin", "A bent coin")
    source(desk.project).write_text(theirs)
    mine = sheet.text.replace("So much for", "Enough of")
    with pytest.raises(Refused, match="changed on disk") as refused:
        desk.save(SLUG, "scientist", mine, sheet.hash)
    shown = [piece for passage in refused.value.changes for piece in passage.pieces]
    assert {"bent", "Enough of"} <= {piece.text.strip() for piece in shown if piece.kind != "same"}
    assert source(desk.project).read_text() == theirs
    assert desk.memory(SLUG).unsaved["scientist"].text == mine, "the loser keeps their text"

    assert desk.merged(SLUG, "scientist") == 0
    both = desk.memory(SLUG).unsaved["scientist"].text
    assert "A bent coin" in both and "Enough of" in both and source(desk.project).read_text() == theirs
    desk.save(SLUG, "scientist", both, desk.packet(SLUG).sheets["scientist"].hash)
    assert source(desk.project).read_text() == both


def test_two_savers_at_once_one_wins_one_is_told(desk: Desk) -> None:
    for round_ in range(10):
        sheet = desk.packet(SLUG).sheets["scientist"]
        outcome: dict[str, str] = {}
        start = threading.Barrier(2)

        def save(name: str, text: str = sheet.text, base: str = sheet.hash, start: threading.Barrier = start) -> None:
            other = Desk(desk.project, "small", name)
            other._texts[base] = text
            start.wait()
            try:
                other.save(SLUG, "scientist", f"{text}\nBy {name}.\n", base)
                outcome[name] = "saved"  # noqa: B023
            except Refused as refused:
                outcome[name] = str(refused)  # noqa: B023

        threads = [threading.Thread(target=save, args=(name,)) for name in (f"Ada{round_}", f"Bob{round_}")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        winner = [name for name, said in outcome.items() if said == "saved"]
        loser = [name for name, said in outcome.items() if "changed on disk" in said]
        assert len(winner) == len(loser) == 1, outcome
        assert source(desk.project).read_text().endswith(f"By {winner[0]}.\n")


def test_front_matter_that_cannot_be_read_is_not_written(desk: Desk) -> None:
    sheet = desk.packet(SLUG).sheets["manager"]
    broken = sheet.text.replace("title: What", "title: [What")
    with pytest.raises(Refused, match="front matter is not YAML"):
        desk.save(SLUG, "manager", broken, sheet.hash)
    assert source(desk.project, "manager").read_text() == sheet.text
    assert desk.memory(SLUG).unsaved["manager"].text == broken


def test_another_command_that_writes_is_waited_for_and_then_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.review_app.desk.PATIENCE", 0.3)
    sheet = desk.packet(SLUG).sheets["scientist"]
    with locked(desk.project), pytest.raises(Refused, match="another forge command is writing"):
        desk.save(SLUG, "scientist", sheet.text + "More.\n", sheet.hash)
    assert source(desk.project).read_text() == sheet.text
    desk.save(SLUG, "scientist", sheet.text + "More.\n", sheet.hash)


# ---- a full disk, provoked ----


@contextlib.contextmanager
def small_files() -> Iterator[None]:
    """The system refuses to let any file grow beyond 600 bytes: writing fails in the middle, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_save_that_the_disk_refuses_keeps_both_texts(desk: Desk) -> None:
    sheet = desk.packet(SLUG).sheets["scientist"]
    with small_files(), pytest.raises(Refused, match="was not saved: File too large"):
        desk.save(SLUG, "scientist", sheet.text + "More.\n", sheet.hash)
    assert source(desk.project).read_text() == sheet.text
    assert desk.memory(SLUG).unsaved["scientist"].text == sheet.text + "More.\n"
    recover(desk.project)
    assert source(desk.project).read_text() == sheet.text
    desk.save(SLUG, "scientist", sheet.text + "More.\n", sheet.hash)
    assert source(desk.project).read_text() == sheet.text + "More.\n"


def test_a_decision_that_the_disk_refuses_is_not_half_recorded(desk: Desk) -> None:
    tokens = all_fine(desk)
    with small_files(), pytest.raises(Refused, match="File too large; nothing was recorded"):
        desk.decide(SLUG, "scientist", "approved", tokens["scientist"], "")
    recover(desk.project)
    assert load_reviews(desk.project, SLUG) == []
    assert not (desk.project.drafts / SLUG / "approved").exists()
    desk.decide(SLUG, "scientist", "approved", tokens["scientist"], "")
    assert [review.decision for review in load_reviews(desk.project, SLUG)] == ["approved"]


@pytest.mark.skipif(os.geteuid() != 0, reason="a real full disk needs the right to mount one")
def test_a_disk_without_room_keeps_both_texts(desk: Desk) -> None:
    """The same on a real file system with no block left, for drafts and scratch alike."""
    folder = desk.project.scratch / "journal"
    folder.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        sheet = desk.packet(SLUG).sheets["scientist"]
        with contextlib.suppress(OSError), (folder / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(b"x" * 4096)
        with pytest.raises(Refused, match="No space left on device"):
            desk.save(SLUG, "scientist", sheet.text + "More.\n", sheet.hash)
        assert source(desk.project).read_text() == sheet.text
        assert desk.memory(SLUG).unsaved["scientist"].text == sheet.text + "More.\n"
    finally:
        subprocess.run(["umount", str(folder)], check=True)


SAVER = """
    import sys, itertools
    from pathlib import Path
    from pipeline.project import find_project
    from pipeline.review_app.desk import Desk
    desk = Desk(find_project(Path(sys.argv[1])), "small", "Ada")
    sheet = desk.packet("coin-post").sheets["scientist"]
    texts = [sheet.text.split("MARK")[0] + f"MARK {name * 3000}\\n" for name in "ab"]
    base = sheet.hash
    print("ready", flush=True)
    from experiments.kit.files import sha256
    for text in itertools.cycle(texts):
        desk.save("coin-post", "scientist", text, base)
        base = sha256(text)
"""


@pytest.mark.parametrize("delay", [0.05, 0.31, 0.77])
def test_a_server_killed_while_saving_leaves_a_whole_text(drafted: Project, delay: float) -> None:
    before = source(drafted).read_text()
    script = textwrap.dedent(SAVER)
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    running = subprocess.Popen(
        [sys.executable, "-c", script, str(drafted.root)], stdout=subprocess.PIPE, text=True, env=env
    )
    assert running.stdout is not None and running.stdout.readline() == "ready\n"
    time.sleep(delay)
    running.send_signal(signal.SIGKILL)
    running.wait()
    with locked(drafted):
        pass
    text = source(drafted).read_text()
    head = before.split("MARK")[0]
    assert text in (before, *(f"{head}MARK {name * 3000}\n" for name in "ab"))
    edition_state(drafted, the_post(drafted), "scientist")


# ---- deciding ----


def test_page_and_terminal_write_the_same_record(desk: Desk, drafted: Project) -> None:
    tokens = all_fine(desk)
    for edition in EDITIONS:
        desk.decide(SLUG, edition, "approved", tokens[edition], "")
    page = [json.loads(line) for line in (drafted.drafts / SLUG / "reviews.jsonl").read_text().splitlines()]
    (drafted.drafts / SLUG / "reviews.jsonl").unlink()
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    words = ["approve", SLUG, "--by", "Ada", "--queue-read"]
    subprocess.run([sys.executable, "-m", "pipeline.cli.main", *words], cwd=drafted.root, check=True, env=env)
    terminal = [json.loads(line) for line in (drafted.drafts / SLUG / "reviews.jsonl").read_text().splitlines()]
    for row in (*page, *terminal):
        assert row.pop("when")
    assert page == terminal and page[0]["confirmed"] == QUEUE
    assert [p.outcome for p in publish(drafted, gather_all(drafted, "small")[0])] == ["published", "published"]


def test_an_undecided_question_blocks_approval(desk: Desk) -> None:
    sheet = desk.packet(SLUG).sheets["scientist"]
    assert sheet.seen and [queued(note.finding) for note in sheet.queue] == QUEUE
    for chosen in ({}, dict.fromkeys((note.key for note in sheet.queue), "back")):
        desk.memory(SLUG).queue = dict(chosen)
        with pytest.raises(Refused, match="2 sentences of the review queue undecided"):
            desk.decide(SLUG, "scientist", "approved", sheet.seen.token, "")
    assert load_reviews(desk.project, SLUG) == []


def test_what_needs_backing_joins_the_reason(desk: Desk) -> None:
    sheet = desk.packet(SLUG).sheets["scientist"]
    assert sheet.seen
    desk.memory(SLUG).queue = {sheet.queue[-1].key: "back"}
    desk.decide(SLUG, "scientist", "sent-back", sheet.seen.token, "Open with the bank.")
    reason = load_reviews(desk.project, SLUG)[-1].reason
    assert reason == f"Open with the bank.\nBack this or say it otherwise: {QUEUE[-1]}"


@pytest.mark.parametrize("what", ["text", "value", "figure", "decision"])
def test_a_decision_on_something_else_than_was_seen_is_refused_with_the_difference(desk: Desk, what: str) -> None:
    tokens = all_fine(desk)
    if what == "text":
        source(desk.project).write_text(source(desk.project).read_text().replace("A fair coin", "A bent coin"))
    elif what == "value":
        write_results(desk.project.root, many=91.0)
    elif what == "figure":
        folder = desk.project.root / "experiments" / "toy" / "results" / "small"
        record = json.loads((folder / "figures.json").read_text())
        record["coin.heads"]["data"] = "e" * 64
        (folder / "figures.json").write_text(json.dumps(record))
    else:
        bob = Desk(desk.project, "small", "Bob")
        bob.decide(SLUG, "scientist", "sent-back", bob.packet(SLUG).sheets["scientist"].seen.token, "Too short.")  # type: ignore[union-attr]
    count = len(load_reviews(desk.project, SLUG))
    with pytest.raises(Refused, match="not what you saw") as refused:
        desk.decide(SLUG, "scientist", "approved", tokens["scientist"], "")
    assert len(load_reviews(desk.project, SLUG)) == count
    told, changes = {name: (then, now) for name, then, now in refused.value.moved}, refused.value.changes
    if what == "text":
        assert "the text changed" in str(refused.value)
        assert {p.text for passage in changes for p in passage.pieces if p.kind != "same"} == {"fair", "bent"}
    elif what == "value":
        assert told["val coin.many"] == ("98.0", "91.0") and changes == []
    elif what == "figure":
        assert "figure coin.heads" in told and "eeeeeeee" in told["figure coin.heads"][1]
    else:
        assert "meanwhile it was sent-back by Bob" in str(refused.value)


def test_a_text_not_saved_is_not_decided_on(desk: Desk) -> None:
    tokens = all_fine(desk)
    sheet = desk.packet(SLUG).sheets["scientist"]
    desk.keep(SLUG, {"text-scientist": sheet.text + "More.\r\n", "base-scientist": sheet.hash})
    with pytest.raises(Refused, match="is not saved"):
        desk.decide(SLUG, "scientist", "approved", tokens["scientist"], "")
    desk.keep(SLUG, {"text-scientist": sheet.text.replace("\n", "\r\n"), "base-scientist": sheet.hash})
    assert desk.memory(SLUG).unsaved == {}, "line ends of a browser's form are no edit"


def test_the_time_spent_is_recorded_once(desk: Desk) -> None:
    tokens = all_fine(desk)
    desk.began -= 1000
    desk.keep(SLUG, {"active": "40"})
    desk.keep(SLUG, {"active": "50"})
    desk.decide(SLUG, "scientist", "approved", tokens["scientist"], "")
    desk.keep(SLUG, {"active": "7"})
    desk.decide(SLUG, "manager", "approved", desk.packet(SLUG).sheets["manager"].seen.token, "")  # type: ignore[union-attr]
    assert [review.seconds for review in load_reviews(desk.project, SLUG)] == [90, 7]
    for said in ("-5", "nan", "inf", "1e9", "x"):
        desk.keep(SLUG, {"active": said})
    assert 0 <= desk.memory(SLUG).seconds <= 1100, "no page can claim more than the server has run"


# ---- looking ----


def test_values_show_what_they_were(desk: Desk) -> None:
    approve_both(desk.project)
    write_results(desk.project.root, many=91.0)
    packet = desk.packet(SLUG)
    row = packet.values[0]
    assert row.fact.key == "coin.many" and row.moved
    cell = row.cells["scientist"]
    assert (cell.was, cell.now) == ("98.0", "91.0") and cell.uses
    assert "run coin-small-0000" in row.provenance and "experiments/toy/coin_study.py:20" in row.provenance
    assert packet.checklist[0].text == "The sentences around 2 moved values still say the right thing"


def test_a_claim_is_shown_in_the_words_of_both_editions(desk: Desk) -> None:
    (row,) = desk.packet(SLUG).claims
    assert row.claim.holds and row.claim.detail and not row.moved
    words = {edition: [use.text for use in uses] for edition, uses in row.uses.items()}
    assert words == {
        "scientist": ["The long series shows 98.0 heads against 4."],
        "manager": ["The long series has 24.5× as many heads."],
    }


def test_the_comparison_is_with_the_approved_text(desk: Desk) -> None:
    path = source(desk.project)
    path.write_text(path.read_text().replace("A fair coin", "A bent coin"))
    assert desk.packet(SLUG).sheets["scientist"].before == "as drafted"
    approve_both(desk.project)
    sheet = desk.packet(SLUG).sheets["scientist"]
    assert sheet.changes == () and sheet.before.startswith("approved by Ada on ")
    path.write_text(path.read_text().replace("A bent coin", "A cold coin"))
    pieces = [
        p for passage in desk.packet(SLUG).sheets["scientist"].changes for p in passage.pieces if p.kind != "same"
    ]
    assert [(p.kind, p.text) for p in pieces] == [("del", "bent"), ("ins", "cold")]


def test_the_checklist_asks_about_this_draft_and_is_short(desk: Desk) -> None:
    items = desk.packet(SLUG).checklist
    texts = [item.text for item in items]
    assert 4 <= len(items) <= 8 and len({item.key for item in items}) == len(items)
    assert "1 figure looked at; the captions say what they show" in texts
    assert "1 limit of the runs can be found in both editions" in texts
    keys = {item.text: item.key for item in items}
    write_results(desk.project.root, many=91.0)
    again = {item.text: item.key for item in desk.packet(SLUG).checklist}
    claims = "Each of 1 claim says no more than its comparison"
    sources = "1 source cited for what it says"
    assert again[claims] != keys[claims], "another comparison has to be read again"
    assert again[sources] == keys[sources], "the other ticks stay"


def test_a_draft_that_cannot_be_read_is_shown_with_its_text(served: Served) -> None:
    path = source(served.project)
    path.write_text("---\ntitle: [x\n---\n\nHello.\n")
    served.enter()
    page = served.get(f"/review/{SLUG}")
    assert page.status == 200 and "front matter is not YAML" in page.text and "title: [x" in page.text
    fields = served.form()
    fields |= {"do": "save:scientist", "text-scientist": "---\ntitle: x\n---\n\nHello.\n"}
    assert served.post(fields).status == 303 and path.read_text() == "---\ntitle: x\n---\n\nHello.\n"


def test_a_sentence_once_confirmed_is_not_asked_again(desk: Desk) -> None:
    approve_both(desk.project)
    write_results(desk.project.root, many=91.0)
    sheet = desk.packet(SLUG).sheets["scientist"]
    assert sheet.undecided == 0 and sheet.queue[0].settled.startswith("Ada on ") and sheet.errors == 0
    assert sheet.seen
    desk.decide(SLUG, "scientist", "approved", sheet.seen.token, "")
    assert desk.packet(SLUG).sheets["scientist"].state.state == "approved"  # type: ignore[union-attr]


def test_a_moved_value_reopens_its_sentences_with_old_and_new(desk: Desk) -> None:
    approve_both(desk.project)
    write_results(desk.project.root, many=91.0)
    sheet = desk.packet(SLUG).sheets["scientist"]
    changed = [(piece.kind, piece.text) for again in sheet.reopened for piece in again.pieces if piece.kind != "same"]
    assert ("del", "98.0") in changed and ("ins", "91.0") in changed
    assert all(note.finding.check != "moved-value" for note in sheet.findings), "said once, sentence by sentence"


def test_a_place_that_both_changed_is_settled_by_choosing(desk: Desk) -> None:
    path = source(desk.project)
    text = path.read_text()
    both = f"{BEGIN}\n\nA fair coin forgets me.\n\n{MIDDLE}\n\nA fair coin forgets all.\n\n{END}"
    paragraph = next(part for part in text.split("\n\n") if part.startswith("A fair coin forgets."))
    for keep, wanted in (("mine", "forgets me."), ("theirs", "forgets all."), ("both", "forgets me.")):
        path.write_text(text.replace(paragraph, both))
        sheet = desk.packet(SLUG).sheets["scientist"]
        assert [(c.mine, c.new) for c in sheet.conflicts] == [("A fair coin forgets me.", "A fair coin forgets all.")]
        assert sheet.errors >= 1
        with pytest.raises(Refused, match="changed on disk"):
            desk.settle(SLUG, "scientist", 0, keep, "0" * 64)  # type: ignore[arg-type]
        desk.drop(SLUG, "scientist")
        desk.settle(SLUG, "scientist", 0, keep, sheet.hash)  # type: ignore[arg-type]
        assert wanted in path.read_text() and "conflict:" not in path.read_text()
    with pytest.raises(Refused, match="settled already"):
        desk.settle(SLUG, "scientist", 0, "mine", sheet.hash)


def test_properties_that_two_tabs_changed_are_put_together_by_key(desk: Desk) -> None:
    sheet = desk.packet(SLUG).sheets["scientist"]
    source(desk.project).write_text(sheet.text.replace("title: What a coin knows", "title: Coins"))
    with pytest.raises(Refused, match="changed on disk"):
        desk.save(SLUG, "scientist", sheet.text.replace("tags: [coins]", "tags: [coins, bets]"), sheet.hash)
    assert desk.merged(SLUG, "scientist") == 0
    text = desk.memory(SLUG).unsaved["scientist"].text
    assert "title: Coins" in text and "bets" in text and "conflict" not in text
