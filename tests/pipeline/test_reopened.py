"""What a change re-opens: exactly the sentences it touches, old beside new; the others stay approved."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from experiments.kit.errors import CannotRun
from pipeline.project import Project
from pipeline.reopened import Piece, pieces_of
from pipeline.review import EditionState, decide, edition_state, last_review, reviews_path
from tests.toy_project import approve_both, the_post, write_results


def state(project: Project, edition: str = "scientist") -> EditionState:
    return edition_state(project, the_post(project), edition)  # type: ignore[arg-type]


def edit(project: Project, old: str, new: str, edition: str = "scientist") -> None:
    path = project.drafts / "coin-post" / f"{edition}.md"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def line_of(project: Project, words: str) -> int:
    path = project.drafts / "coin-post" / "scientist.md"
    return next(n for n, row in enumerate(path.read_text().splitlines(), 1) if words in row)


def test_a_moved_value_reopens_the_sentences_that_use_it(drafted: Project) -> None:
    approve_both(drafted)
    assert state(drafted).reopened == () and state(drafted).summary == ""
    write_results(drafted.root, many=97.0)
    now = state(drafted)
    sentence = next(s for s in now.reopened if "coin.more" in s.sentence)
    assert sentence.old == "The long series shows 98.0 heads against 4."
    assert sentence.new == "The long series shows 97.0 heads against 4."
    assert (sentence.why, sentence.keys, sentence.line) == ("value", ("coin.many",), line_of(drafted, "coin.more"))
    # The figure's caption names the same value; nothing else does.
    assert [s.sentence for s in now.reopened if s is not sentence] == ["{fig}`coin.heads`"]
    total = len(pieces_of(now.draft)) if now.draft else 0
    assert now.summary == f"2 of {total} sentences re-opened: coin.many was 98.0 and is now 97.0 and 1 more"


def test_approving_again_records_what_was_looked_at(drafted: Project) -> None:
    approve_both(drafted)
    first = last_review(drafted, "coin-post", "scientist")
    write_results(drafted.root, many=97.0)
    decide(drafted, the_post(drafted), "scientist", "approved", "Grace")  # nothing to confirm: no sentence is new
    again = last_review(drafted, "coin-post", "scientist")
    assert first is not None and again is not None
    assert first.reopened == [] and next(s["new"] for s in again.reopened).startswith("The long series shows 97.0")
    assert again.sentences == first.sentences and again.source == first.source
    assert state(drafted).state == "approved"


def test_the_record_knows_what_each_sentence_rests_on(drafted: Project) -> None:
    approve_both(drafted)
    review = last_review(drafted, "coin-post", "scientist")
    assert review is not None
    resting = [keys for keys in review.sentences.values() if keys]
    assert ["claim:coin.more", "val:coin.many", "val:coin.few"] in resting and ["fig:coin.heads"] in resting


def test_an_edited_sentence_is_shown_beside_the_approved_one(drafted: Project) -> None:
    approve_both(drafted)
    edit(drafted, "A fair coin forgets.", "A fair coin always forgets. Nobody minds that.")
    write_results(drafted.root, many=97.0)
    found = {s.why: s for s in state(drafted).reopened}
    assert (found["edited"].old, found["edited"].new) == ("A fair coin forgets.", "A fair coin always forgets.")
    assert found["new"].new == "Nobody minds that." and found["new"].line == line_of(drafted, "Nobody minds")
    assert "97.0" in next(s.new for s in state(drafted).reopened if s.why == "value")
    stale = [f for f in state(drafted).findings if f.check == "stale-approval"]
    assert stale[0].line == line_of(drafted, "Nobody minds")


def test_a_sentence_taken_out_and_a_changed_title_are_named(drafted: Project) -> None:
    approve_both(drafted)
    edit(drafted, "A fair coin forgets. ", "")
    edit(drafted, "What a coin knows", "What a penny knows")
    found = {s.why: s for s in state(drafted).reopened}
    assert found["removed"].sentence == "A fair coin forgets." and found["removed"].line is None
    assert (found["edited"].old, found["edited"].new) == ("title: What a coin knows", "title: What a penny knows")


def test_only_layout_changed(drafted: Project) -> None:
    approve_both(drafted)
    edit(drafted, "A fair coin forgets. ", "A fair coin\nforgets. ")
    now = state(drafted)
    assert now.state == "stale" and now.reopened == ()


def test_approvals_of_the_first_format_are_read(drafted: Project) -> None:
    approve_both(drafted)
    path = reviews_path(drafted, "coin-post")
    rows = [json.loads(row) for row in path.read_text().splitlines()]
    for row in rows:
        for key in ("sentences", "reopened", "confirmed"):
            del row[key]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert state(drafted).state == "approved"
    write_results(drafted.root, many=97.0)
    assert [s.keys for s in state(drafted).reopened] == [("coin.many",), ("coin.many",)]


def test_a_flipped_claim_says_so(drafted: Project) -> None:
    approve_both(drafted)
    write_results(drafted.root, many=3.0)
    messages = [message for s in state(drafted).reopened for message in s.messages]
    assert any(message.startswith("claim coin.more no longer holds") for message in messages)


def test_line_breaks_are_no_difference(tmp_path: Path) -> None:
    assert Piece(1, "a b\nc").mark == Piece(9, "a  b c").mark != Piece(1, "a b d").mark


def test_values_of_uncommitted_code_can_be_drafted_and_not_approved(drafted: Project) -> None:
    results = drafted.root / "experiments" / "toy" / "results" / "small" / "run.json"
    clean = results.read_text()
    dirty = clean.replace('"dirty": false', '"dirty": true')
    assert dirty != clean
    results.write_text(dirty)
    now = edition_state(drafted, the_post(drafted), "scientist")
    assert (now.state, [f.severity for f in now.findings if f.check == "dirty-results"]) == ("waiting", ["warning"])
    with pytest.raises(CannotRun, match=r"code that is not committed\n  fix: commit experiments/"):
        approve_both(drafted)
    results.write_text(clean)
    approve_both(drafted)
    path = reviews_path(drafted, "coin-post")
    path.write_text(path.read_text().replace('"dirty":false', '"dirty":true'))
    assert "dirty-results" in {f.check for f in state(drafted).errors}
