"""Three-way merge: edits survive, conflicts keep both texts, nothing is lost."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.merge import BEGIN, END, MARKERS, MIDDLE, conflicts, merge, merge_properties, paragraphs, settle
from pipeline.merge import settle_property as settled

BASE = "one\n\ntwo\n\nthree\n\nfour\n"

WORD = st.text("abcdef", min_size=1, max_size=4)
FENCED = WORD.map(lambda word: f"```python\n{word}\n\n{word}\n```")
PIECE = st.one_of(WORD, WORD, FENCED, st.sampled_from(["$$\nx\n\ny\n$$", "- a\n  b", "> [!note]\n> c", "```a``` b"]))
TEXT = st.lists(PIECE, min_size=1, max_size=8).map(lambda pieces: "\n\n".join(pieces) + "\n")


def test_changes_in_different_places_both_come_through() -> None:
    merged = merge(BASE, BASE.replace("two", "TWO, mine"), BASE.replace("four", "FOUR, new"))
    assert merged.text == "one\n\nTWO, mine\n\nthree\n\nFOUR, new\n"
    assert merged.conflicts == () and merged.kept_edits == 1


def test_one_place_changed_by_both_keeps_both_texts_and_blocks() -> None:
    merged = merge(BASE, BASE.replace("two", "mine"), BASE.replace("two", "new"))
    assert merged.text == f"one\n\n{BEGIN}\n\nmine\n\n{MIDDLE}\n\nnew\n\n{END}\n\nthree\n\nfour\n"
    assert [(c.mine, c.new) for c in merged.conflicts] == [("mine", "new")]
    (conflict,) = conflicts(merged.text)
    assert (conflict.mine, conflict.new, conflict.lines) == ("mine", "new", (3, 7, 11))


def test_same_change_on_both_sides_is_no_conflict() -> None:
    merged = merge(BASE, BASE.replace("two", "same"), BASE.replace("two", "same"))
    assert merged.text == BASE.replace("two", "same") and not merged.conflicts


def test_a_deleted_paragraph_stays_deleted() -> None:
    merged = merge(BASE, "one\n\nthree\n\nfour\n", BASE.replace("four", "FOUR"))
    assert merged.text == "one\n\nthree\n\nFOUR\n"


def test_fences_are_one_paragraph() -> None:
    text = "a\n\n```python\nx = 1\n\ny = 2\n```\n\n$$\nv\n\nw\n$$\n"
    assert paragraphs(text) == ["a", "```python\nx = 1\n\ny = 2\n```", "$$\nv\n\nw\n$$"]


@given(TEXT, TEXT)
def test_an_untouched_text_takes_the_new_one(base: str, new: str) -> None:
    assert merge(base, base, new).text == new


@given(TEXT, TEXT)
def test_a_writer_who_changes_nothing_changes_nothing(base: str, mine: str) -> None:
    assert merge(base, mine, base).text == mine


@given(TEXT, TEXT, TEXT)
@settings(max_examples=500)
def test_every_word_a_person_added_survives(base: str, mine: str, new: str) -> None:
    added = set(paragraphs(mine)) - set(paragraphs(base))
    assert added <= set(paragraphs(merge(base, mine, new).text))


@given(TEXT, TEXT, TEXT)
@settings(max_examples=500)
def test_every_paragraph_the_writer_added_is_there_or_stood_already(base: str, mine: str, new: str) -> None:
    added = set(paragraphs(new)) - set(paragraphs(base))
    assert added <= set(paragraphs(merge(base, mine, new).text))


@given(TEXT, TEXT, TEXT)
def test_merging_again_changes_nothing(base: str, mine: str, new: str) -> None:
    once = merge(base, mine, new).text
    assert merge(new, once, new).text == once


@given(TEXT, TEXT, TEXT)
@settings(max_examples=500)
def test_no_paragraph_of_the_persons_is_lost_however_often_it_stands(base: str, mine: str, new: str) -> None:
    was, wrote, got = (Counter(paragraphs(text)) for text in (base, mine, merge(base, mine, new).text))
    assert not (wrote - was) - got


@given(TEXT, TEXT, TEXT)
@settings(max_examples=300)
def test_no_conflict_where_only_one_side_changed(base: str, mine: str, new: str) -> None:
    for merged, text in ((merge(base, base, new), new), (merge(base, mine, base), mine), (merge(base, new, new), new)):
        assert (merged.text, merged.conflicts) == (text, ())


@given(TEXT, TEXT, TEXT)
@settings(max_examples=300)
def test_conflicts_are_found_again_in_the_text_and_can_be_settled(base: str, mine: str, new: str) -> None:
    merged = merge(base, mine, new)
    found = conflicts(merged.text)
    assert [(c.mine, c.new) for c in found] == [(c.mine, c.new) for c in merged.conflicts]
    for keep in ("mine", "theirs", "both"):
        text = merged.text
        for number in reversed(range(len(found))):
            text = settle(text, number, keep)  # type: ignore[arg-type]
        assert not any(marker in text for marker in MARKERS)
        kept = Counter(paragraphs(text))
        for conflict in found:
            mine_in = not Counter(paragraphs(conflict.mine)) - kept or not conflict.mine
            theirs_in = not Counter(paragraphs(conflict.new)) - kept or not conflict.new
            assert mine_in if keep == "mine" else theirs_in if keep == "theirs" else mine_in and theirs_in


@given(TEXT, TEXT, TEXT, TEXT)
@settings(max_examples=300)
def test_a_second_draft_over_open_conflicts_loses_nothing(base: str, mine: str, new: str, newer: str) -> None:
    once = merge(base, mine, new).text
    twice = merge(new, once, newer).text
    added = Counter(paragraphs(mine)) - Counter(paragraphs(base)) - Counter(paragraphs(new))
    assert not added - Counter(paragraphs(twice))


def test_a_marker_somebody_deleted_leaves_no_conflict_to_settle_but_stays_visible() -> None:
    text = merge(BASE, BASE.replace("two", "mine"), BASE.replace("two", "new")).text
    for marker in MARKERS:
        assert conflicts(text.replace(marker + "\n\n", "")) == []


def test_conflicts_within_conflicts_are_settled_from_the_outside() -> None:
    text = f"a\n\n{BEGIN}\n\n{BEGIN}\n\nb\n\n{MIDDLE}\n\nc\n\n{END}\n\n{MIDDLE}\n\nd\n\n{END}\n"
    assert [(c.mine.count("conflict"), c.new) for c in conflicts(text)] == [(3, "d")]
    assert settle(settle(text, 0, "mine"), 0, "theirs") == "a\n\nc\n"


def test_inline_code_fences_and_thematic_breaks_do_not_swallow_the_rest() -> None:
    assert paragraphs("```a``` b\n\nc\n\n~~~\nx\n\n~~~ y\n\n~~~\n\nd") == [
        "```a``` b",
        "c",
        "~~~\nx\n\n~~~ y\n\n~~~",
        "d",
    ]
    assert paragraphs("---\n\na\n\nb") == ["---", "a", "b"]


def test_properties_are_merged_by_key_and_those_asked_for_by_name() -> None:
    base = {"title": "A", "tags": ["x"], "derived": {"gap": {"op": "difference"}}}
    mine = {"title": "Mine", "tags": ["x"], "derived": {"gap": {"op": "difference"}, "own": {"op": "rank"}}}
    new = {"title": "A", "tags": ["y"], "derived": {"gap": {"op": "ratio"}, "hers": {"op": "count"}}, "week": 1}
    merged, found = merge_properties(base, mine, new)
    derived = {"gap": {"op": "ratio"}, "hers": {"op": "count"}, "own": {"op": "rank"}}
    assert merged == {"title": "Mine", "tags": ["y"], "derived": derived, "week": 1} and found == []


def test_a_property_both_changed_keeps_both_and_is_settled() -> None:
    base, mine = {"title": "A", "derived": {"g": {"op": "x"}}}, {"title": "B", "derived": {"g": {"op": "y"}}}
    merged, found = merge_properties(base, mine, {"title": "C", "derived": {"g": {"op": "z"}}})
    assert merged == {**mine, "conflicts": {"title": "C", "derived.g.op": "z"}}
    assert [(c.mine, c.new) for c in found] == [("title: B", "title: C"), ("op: y", "op: z")]
    again, _ = merge_properties({"title": "C", "derived": {"g": {"op": "z"}}}, merged, {"title": "C", "derived": {}})
    assert again["conflicts"] == merged["conflicts"], "an open conflict waits through another draft"
    assert settled(merged, "title", "theirs")["title"] == "C"
    assert settled(settled(merged, "title", "mine"), "derived.g.op", "theirs") == {
        "title": "B",
        "derived": {"g": {"op": "z"}},
    }
