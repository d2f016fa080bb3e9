"""Findings print in the form editors jump to, sort by place, and suggest the nearest name."""

import json

from pipeline.finding import Finding, did_you_mean, in_order


def test_text_names_place_severity_check_and_fix() -> None:
    finding = Finding("draft.unknown-key", "error", "no fact 'vi.sweps'", "drafts/a/scientist.md", 12, 5, fix="use it")
    assert str(finding) == ("drafts/a/scientist.md:12:5: error draft.unknown-key: no fact 'vi.sweps'\n  fix: use it")


def test_text_leaves_out_what_is_not_known() -> None:
    assert str(Finding("a.b", "warning", "m", "f.md")) == "f.md: warning a.b: m"
    assert str(Finding("a.b", "review", "m", "f.md", 3)) == "f.md:3: review a.b: m"
    assert str(Finding("a.b", "error", "m", line=3)) == "error a.b: m"


def test_json_keeps_every_field() -> None:
    record = json.loads(json.dumps(Finding("a.b", "error", "m", "f.md", 1, 2, "S.", "fix it", "k").to_json()))
    assert record == {
        "check": "a.b", "severity": "error", "message": "m", "file": "f.md", "line": 1, "column": 2,
        "sentence": "S.", "fix": "fix it", "key": "k",
    }  # fmt: skip
    assert Finding("a.b", "error", "m").to_json()["line"] is None


def test_order_is_by_place_then_gravity_and_repeats_go() -> None:
    later = Finding("x", "error", "m", "b.md", 1)
    mild = Finding("x", "review", "m", "a.md", 2, 1)
    grave = Finding("x", "error", "m", "a.md", 2, 1)
    first = Finding("x", "review", "m", "a.md", 1)
    assert in_order([later, mild, grave, first, later]) == [first, grave, mild, later]


def test_did_you_mean_is_close_or_silent() -> None:
    assert did_you_mean("vi.sweps", ["vi.sweeps", "pi.sweeps"]) == "did you mean 'vi.sweeps'?"
    assert did_you_mean("sutton2018", ["Sutton2018"]) == "did you mean 'Sutton2018'?"
    assert did_you_mean("zzz", ["vi.sweeps"]) == ""
    assert did_you_mean("x", []) == ""
