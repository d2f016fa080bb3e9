"""A small model's sentences held against the notes."""

from __future__ import annotations

import pytest

from pipeline.writers.grounding import material_of, negates, stem, ungrounded
from pipeline.writers.local import said_once

NOTES = (
    "A coin does not remember. If you throw it often, the share of heads settles down. "
    "Most choices at work are like that, and the coin lets us look at one of them in peace."
)


@pytest.mark.parametrize(
    ("sentence", "check"),
    [
        ("A coin does not remember.", ""),
        ("When you throw a coin often, the share of heads will settle.", ""),
        ("Choices at work are like a coin.", ""),
        ("A coin remembers.", "against-notes"),
        ("The share of heads never settles down if you throw it often.", "against-notes"),
        ("The coin is a symbol of endless possibilities and human imagination.", "not-in-notes"),
        ("The International Organization for Standardization defines the coin.", "not-in-notes"),
        ("Throw it often, and the share of heads settles; a coin does not remember.", ""),
        ("Is it so?", ""),
    ],
)
def test_what_a_sentence_may_say(sentence: str, check: str) -> None:
    found = [finding.check for finding in ungrounded(sentence, material_of(NOTES, "A coin: a round piece of metal."))]
    assert found == ([check] if check else [])


def test_a_definition_around_the_notes_adds_words_and_no_direction() -> None:
    grounds = material_of(NOTES, "A coin: a round piece of metal.")
    assert list(ungrounded("The coin, a round piece of metal, does not remember.", grounds)) == []


def test_what_was_said_before_is_a_finding_and_goes_from_an_answer() -> None:
    said: set[str] = set()
    grounds = material_of(NOTES)
    assert list(ungrounded("A coin does not remember.", grounds, said)) == []
    assert [f.check for f in ungrounded("A coin  does not remember.", grounds, said)] == ["repeated"]
    assert said_once("One here. Two.\nOne here.\n\nTwo.\n\nThree.") == "One here. Two.\n\nThree."


def test_words() -> None:
    assert stem("forgets") == stem("forgetting")[:6] == "forget" and stem("yes") == "yes"
    assert negates("It doesn't.") and not negates("It is never not so.")
