"""One property changes and every other byte stays."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.kit.errors import CannotRun
from pipeline import yamlmap
from pipeline.properties import append_item, set_value

NOTE = (
    "\ufeff---\r\ntype: cluster # 😀 a comment\r\nstatus: planned   # soon\r\ndate: 2025-08-05\r\nquoted: 'planned'\r\n"
    'day: "2025-08-05"\r\nempty:\r\nweekly:\r\n  - {week: 1, from: 2025-08-05}\r\nresources:\r\n  primary:\r\n'
    "    - a  # one\r\n    - b\r\n\r\n  theory: [a, b]\r\n  video:\r\n  none: []\r\n---\r\n"
    "status: planned\r\n\r\ntext\r\n"
)


def changed(before: str, after: str) -> tuple[list[str], list[str]]:
    """The lines only one of two texts has."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    return [line for line in old if line not in new], [line for line in new if line not in old]


@pytest.mark.parametrize(
    ("path", "value", "old", "new"),
    [
        (("status",), "done", ["status: planned   # soon\r\n"], ["status: done   # soon\r\n"]),
        (("date",), datetime.date(2026, 11, 23), ["date: 2025-08-05\r\n"], ["date: 2026-11-23\r\n"]),
        (("day",), datetime.date(2026, 11, 23), ['day: "2025-08-05"\r\n'], ["day: 2026-11-23\r\n"]),
        (("quoted",), "in-progress", ["quoted: 'planned'\r\n"], ["quoted: 'in-progress'\r\n"]),
        (("empty",), "done", ["empty:\r\n"], ["empty: done\r\n"]),
        (("new",), "no", [], ['new: "no"\r\n']),
        (("weekly", 0, "from"), datetime.date(2026, 1, 2), ["  - {week: 1, from: 2025-08-05}\r\n"],
         ["  - {week: 1, from: 2026-01-02}\r\n"]),
    ],
)  # fmt: skip
def test_one_line_changes(path: tuple[str | int, ...], value: str, old: list[str], new: list[str]) -> None:
    after = set_value(NOTE, path, value, "n.md")
    assert changed(NOTE, after) == (old, new)
    assert after.endswith("---\r\nstatus: planned\r\n\r\ntext\r\n"), "the body keeps words that look like a property"


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        (("resources", "primary"), [], ['    - {source: k, where: "3, 4"}\r\n']),
        (("resources", "theory"), ["  theory: [a, b]\r\n"], ['  theory: [a, b, {source: k, where: "3, 4"}]\r\n']),
        (("resources", "video"), [], ['    - {source: k, where: "3, 4"}\r\n']),
        (("resources", "none"), ["  none: []\r\n"], ['  none: [{source: k, where: "3, 4"}]\r\n']),
        (("resources", "latest"), [], ["  latest:\r\n", '    - {source: k, where: "3, 4"}\r\n']),
        (("papers",), [], ["papers:\r\n", '  - {source: k, where: "3, 4"}\r\n']),
        (("others", "primary"), [], ["others:\r\n", "  primary:\r\n", '    - {source: k, where: "3, 4"}\r\n']),
    ],
)
def test_an_item_is_added_where_the_list_is(path: tuple[str, ...], old: list[str], new: list[str]) -> None:
    after = append_item(NOTE, path, '{source: k, where: "3, 4"}', "n.md")
    gone, come = changed(NOTE, after)
    assert gone == old and [line for line in come if line not in ("  primary:\r\n",)] == [
        line for line in new if line != "  primary:\r\n"
    ]
    data = yamlmap.load(after.split("---\r\n")[1]).data
    for part in path:
        data = data[part]
    assert data[-1] == {"source": "k", "where": "3, 4"}


@pytest.mark.parametrize(
    ("text", "path", "says"),
    [
        ("no properties", ("status",), "has no properties"),
        ("---\nstatus: x", ("status",), "has no properties"),
        ("---\na: b: c\n---\n", ("a",), "n.md:2"),
        ("---\na: [1]\n---\n", ("a",), "a list or a mapping"),
        ("---\na: 1\na: 2\n---\n", ("a",), "by hand"),
        ("---\na: &x 1\nb: *x\n---\n", ("a",), "by hand"),
        ("---\na: 1\n---\n", ("b", 0, "c"), "has no b.1.c"),
    ],
)
def test_what_cannot_be_changed_cleanly_is_left(text: str, path: tuple[str | int, ...], says: str) -> None:
    with pytest.raises(CannotRun, match=says.replace(".", r"\.")):
        set_value(text, path, "done", "n.md")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_text_below_its_key_becomes_a_word_beside_it(newline: str) -> None:
    text = "---\na: 1\nstatus: >-\n  planned\n  for now\nb: 2\n---\nbody\n".replace("\n", newline)
    after = "---\na: 1\nstatus: done\nb: 2\n---\nbody\n".replace("\n", newline)
    assert set_value(text, ("status",), "done", "n.md") == after


def test_trouble_with_another_property_is_left_alone() -> None:
    text = "---\na: 1\na: 2\ndate: 2025-02-30\nmore: {{x}}\nstatus: planned\n---\n"
    assert set_value(text, ("status",), "done", "n.md") == text.replace("planned", "done")


WORD = st.text(st.sampled_from("aé😀 -#:'\"[]{}&*!|>%@`,?0\n\t"), max_size=12)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(["a", "b", "status", "d"]), WORD | st.lists(WORD, max_size=3), min_size=1), WORD)
def test_whatever_the_values_only_the_one_changes(data: dict[str, object], body: str) -> None:
    import yaml

    text = f"---\n{yaml.safe_dump(data, allow_unicode=True)}---\n{body}"
    if isinstance(data.get("status"), list):
        return
    after = set_value(text, ("status",), "done", "n.md")
    assert yamlmap.load(after[4:].partition("\n---")[0] + "\n").data == {**data, "status": "done"}
    assert after.endswith(f"---\n{body}")
