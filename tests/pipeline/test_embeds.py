"""Circles among embeds are found whatever their number, and multiplying ones are counted without writing them out."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.embeds import circles, sizes
from pipeline.vault import Vault
from tests.pipeline.messy_vault import make_messy_vault


def test_each_embed_of_a_circle_gets_its_way_round() -> None:
    leads = {"a": ["b"], "b": ["c", "d"], "c": ["a"], "d": [], "e": ["e"], "f": ["a"]}
    assert sorted(circles(leads)) == [["a", "b", "c", "a"], ["b", "c", "a", "b"], ["c", "a", "b", "c"], ["e", "e"]]


def test_embeds_that_multiply_are_counted() -> None:
    leads = {n: [n + 1, n + 1] for n in range(200)} | {200: []}
    made = sizes(leads, 1001)
    assert (made[200], made[199], made[198], made[0]) == (1, 3, 7, 1001)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.integers(0, 6), st.lists(st.integers(0, 6), max_size=4)))
def test_the_circles_are_those_one_finds_by_walking(leads: dict[int, list[int]]) -> None:
    def reaches(start: int) -> bool:
        seen, ahead = set(), list(leads.get(start, ()))
        while ahead:
            node = ahead.pop()
            if node not in seen:
                seen.add(node)
                ahead += leads.get(node, ())
        return start in seen

    found = circles(leads)
    assert {way[0] for way in found} == {node for node in leads if reaches(node)}
    assert all(b in leads[a] for way in found for a, b in pairwise(way))


def test_a_messy_vault_of_500_notes_is_checked_in_time(tmp_path: Path) -> None:
    make_messy_vault(tmp_path / "vault")
    began = time.process_time()
    vault = Vault.load(tmp_path / "vault")
    findings = vault.check()
    seconds = time.process_time() - began
    assert len(vault.notes) >= 495 and not any(".obsidian" in note or ".trash" in note for note in vault.notes)
    assert not any(note.startswith("daily/loop") for note in vault.notes)
    told = {finding.check for finding in findings}
    assert told >= {
        "vault.embed-cycle", "vault.encoding", "vault.too-large", "vault.unreadable", "vault.open-properties",
        "vault.missing-note", "vault.missing-heading", "vault.missing-footnote", "vault.duplicate-block",
        "yaml.malformed", "yaml.duplicate-key", "yaml.value", "yaml.too-large", "yaml.too-deep",
    }  # fmt: skip
    dead = {f.key for f in findings if f.check == "vault.missing-note"}
    assert not any(key[:1].isupper() and key.lower() in dead for key in dead), "case does not matter in a link"
    assert all(finding.fix and str(finding).encode() for finding in findings)
    assert seconds < 4, "2 s asked on a free machine; twice that where others share it"
