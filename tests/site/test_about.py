"""What the theme says about a post beside its text."""

from __future__ import annotations

from typing import Any

from pipeline.site.about import _origins

FACT = {
    "description": "heads", "kind": "measured", "statistic": "mean", "n": 5, "interval": [1.0, 2.0], "run": "coin-1",
    "machine": False, "file": "experiments/toy/coin_study.py", "line": 20,
}  # fmt: skip
RUN = {
    "id": "coin-1", "title": "Coins", "study": "toy/coin", "started": "2026-11-20T10:00:00",
    "commit": "0123456789abcdef", "seeds": 5, "machine": "2 cores",
}  # fmt: skip


def origins(files: dict[str, str]) -> dict[str, Any]:
    return _origins({"facts": {"coin.heads": FACT}, "runs": {"toy/coin": RUN}}, files)


def test_a_value_links_to_its_study_and_its_line_where_the_site_shows_them() -> None:
    shown = origins({"experiments/toy/coin_study.py": "code/toy/coin_study.md"})
    assert shown["facts"]["coin.heads"]["code"] == "code/toy/coin_study#L20"
    assert shown["runs"]["coin-1"]["page"] == "code/toy/coin_study"


def test_what_the_site_does_not_show_is_named_without_a_link() -> None:
    shown = origins({})
    assert "code" not in shown["facts"]["coin.heads"] and "page" not in shown["runs"]["coin-1"]
    assert shown["facts"]["coin.heads"]["line"] == "experiments/toy/coin_study.py:20"
    assert shown["runs"]["coin-1"]["study"] == "toy/coin"
