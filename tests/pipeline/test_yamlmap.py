"""YAML becomes plain data with lines; bad YAML becomes findings that name the line and the fix; nothing is executed."""

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.yamlmap import load

TEXT = """\
week: 1
title: "RL: & MDPs"
date: 2026-11-21
topics:
  - Bellman
  - {name: DP, parts: [VI, PI]}
posts:
  - slug: one
    tags: [a, b]
  - slug: two
    ok: yes
    score: 1.5
    none: ~
"""


def test_data_is_plain_and_dates_stay_dates() -> None:
    mapped = load(TEXT)
    assert mapped.findings == ()
    assert mapped.data["date"] == datetime.date(2026, 11, 21)
    assert mapped.data["posts"][1] == {"slug": "two", "ok": True, "score": 1.5, "none": None}
    assert mapped.data["topics"] == ["Bellman", {"name": "DP", "parts": ["VI", "PI"]}]


def test_every_key_and_item_has_its_line() -> None:
    mapped = load(TEXT, first_line=2)
    assert mapped.line("week") == 2
    assert mapped.line("topics", 1, "parts", 0) == 7
    assert mapped.line("posts", 1, "slug") == 11
    assert mapped.line("posts", 1, "missing") == 11, "the nearest place around it"
    assert mapped.line("posts", 9, "slug") == 8
    assert mapped.line() == 2


def test_duplicate_key_keeps_the_first_and_names_both_lines() -> None:
    mapped = load("a: 1\nb:\n  c: 1\n  c: 2\n", "notes/x.md", 2)
    (finding,) = mapped.findings
    assert mapped.data == {"a": 1, "b": {"c": 1}}
    assert (finding.check, finding.place, finding.key) == ("yaml.duplicate-key", "notes/x.md:5:3", "b.c")
    assert "line 4" in finding.message


def test_a_templates_placeholder_is_named_and_read_as_text() -> None:
    mapped = load("title: {{title}}\nat: {{ date:YYYY-MM-DD }}\nkeep: {a: {b: 1}}\n", "notes/x.md", 2)
    assert mapped.data == {"title": "{{title}}", "at": "{{ date:YYYY-MM-DD }}", "keep": {"a": {"b": 1}}}
    assert [(f.check, f.severity, f.line, f.key) for f in mapped.findings] == [
        ("yaml.placeholder", "warning", 2, "title"),
        ("yaml.placeholder", "warning", 3, "at"),
    ]
    assert "{{title}} was not filled in" in mapped.findings[0].message
    (broken,) = load("at: {{date}} {{time}}\n", "notes/x.md", 2).findings
    assert (broken.check, broken.line, broken.key) == ("yaml.malformed", 2, "at")
    assert "a placeholder that was not filled in" in broken.message and "in quotes" in broken.fix


@pytest.mark.parametrize(
    ("text", "line", "message", "fix"),
    [
        ("a: 1\n\tb: 2\n", 2, "a tab in the indentation", "indent with spaces"),
        ("a:\n\t- b\n", 2, "a tab in the indentation", "indent with spaces"),
        ("a: 1\ntitle: RL: an intro\n", 2, "a second ': ' in one value", "put the value in quotes"),
        ('a: "open\n', 1, "", "close the quote"),
        ("a: [1, 2\n", 1, "", "close the bracket"),
        ("a: *star*\n", 1, "", "quotes"),
        ("a: @x\n", 1, "", "put the value in quotes"),
        ("a: 1\n b: 2\n", 2, "", ""),
    ],
)
def test_malformed_yaml_names_line_and_fix(text: str, line: int, message: str, fix: str) -> None:
    mapped = load(text, "f.md")
    (finding,) = mapped.findings
    assert mapped.data is None
    assert (finding.check, finding.file) == ("yaml.malformed", "f.md")
    assert finding.line is not None and abs(finding.line - line) <= 1
    assert message in finding.message and fix in finding.fix


def test_tags_do_not_construct_anything() -> None:
    mapped = load("a: !!python/object/apply:os.system ['false']\nb: !!python/name:os.system x\nc: 1\n")
    assert mapped.data["c"] == 1
    assert mapped.data["b"] == "x"
    assert [f.check for f in mapped.findings] == ["yaml.tag", "yaml.tag"]


def test_impossible_date_is_a_finding_not_a_crash() -> None:
    mapped = load("when: 2026-13-41\n", "f.md")
    assert mapped.data == {"when": "2026-13-41"}
    assert (mapped.findings[0].check, mapped.findings[0].line) == ("yaml.value", 1)


def test_an_alias_inside_its_own_anchor_ends() -> None:
    mapped = load("a: &x [1, *x]\n")
    assert mapped.data is None
    assert mapped.findings[0].check == "yaml.too-deep"


def test_many_aliases_do_not_explode() -> None:
    text = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
    assert load(text).findings[0].check == "yaml.too-large"


@pytest.mark.parametrize(("text", "data"), [("", None), ("# only\n", None), ("just text", "just text"), ("- a", ["a"])])
def test_other_documents(text: str, data: object) -> None:
    assert load(text).data == data
    assert load(text).findings == ()


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=80), st.text(alphabet="ab:-[]{}\"' \n\t&*!|>#,?%@0", max_size=80)))
def test_any_text_reads_or_is_reported(text: str) -> None:
    mapped = load(text, "f.md", 2)
    assert all(f.line is not None and 2 <= f.line <= 3 + text.count("\n") + text.count("\r") for f in mapped.findings)
    assert all(f.fix for f in mapped.findings)
