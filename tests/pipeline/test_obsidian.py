"""The parts of a link. The rules themselves are shown at work in test_markdown."""

import pytest

from pipeline.obsidian import link_parts, link_text


@pytest.mark.parametrize(
    ("inside", "parts", "text"),
    [
        ("mdp", ("mdp", "", "", ""), "mdp"),
        ("topics/mdp", ("topics/mdp", "", "", ""), "mdp"),
        ("mdp|the process", ("mdp", "", "", "the process"), "the process"),
        ("mdp\\|in a table", ("mdp", "", "", "in a table"), "in a table"),
        ("mdp#Policy", ("mdp", "Policy", "", ""), "Policy"),
        ("mdp#Part#Policy", ("mdp", "Part#Policy", "", ""), "Policy"),
        ("#Policy", ("", "Policy", "", ""), "Policy"),
        ("mdp#^key-idea", ("mdp", "", "key-idea", ""), "mdp"),
        ("#^key-idea|this", ("", "", "key-idea", "this"), "this"),
        ("#^key-idea", ("", "", "key-idea", ""), "key-idea"),
    ],
)
def test_link_parts_and_text(inside: str, parts: tuple[str, str, str, str], text: str) -> None:
    found = link_parts(inside)
    assert (found["target"], found["heading"], found["block"], found["alias"]) == parts
    assert link_text(found) == text
