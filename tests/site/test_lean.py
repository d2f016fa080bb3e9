"""What a build leaves out shows on no page."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from markdown import Markdown
from mkdocs.theme import Theme

from pipeline.site import lean

REPO = Path(__file__).parents[2]
TEXT = r"""
Plain words, then \* an escape, `code`, ``co`de``, $x_1$, \(y\), *em*, **strong *both***, _em_, __strong__, ==mark==,
[link](a.md "t"), [reference][r], [r], ![image](b.png), ![image][r], ![r], <https://example.org>, <a@example.org>,
a <em>tag</em>, <!-- a comment --> &amp; &copy; & a note[^n], two blanks  \nand a break, [*em* in `a` link](c.md) end*.

[r]: d.md
[^n]: A note with *em* and $z$.
"""


def convert(text: str, tmp_path: Path, signs: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(lean, "SIGNS", signs)
    extensions = ["pymdownx.arithmatex", "pymdownx.betterem", "pymdownx.mark", "footnotes", "attr_list", "tables"]
    with lean.lean(tmp_path):
        return Markdown(extensions=extensions).convert(text)


@pytest.mark.parametrize("wrapped", ["{}", "**{}**", "- {}", "> {}", "| {} |\n| --- |\n| {} |"])
def test_patterns_that_cannot_match_are_not_missed(
    wrapped: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signs = dict(lean.SIGNS)
    for line in (TEXT, *TEXT.replace(", ", "\n").splitlines()):
        text = wrapped.replace("{}", line.strip())
        assert convert(text, tmp_path, signs, monkeypatch) == convert(text, tmp_path, {}, monkeypatch)


def test_every_pattern_of_the_site_is_known() -> None:
    class Loader(yaml.SafeLoader):
        """YAML with the tags of mkdocs.yml."""

    Loader.add_multi_constructor("", lambda loader, suffix, node: None)
    entries = yaml.load((REPO / "mkdocs.yml").read_text(encoding="utf-8"), Loader)["markdown_extensions"]
    names = [next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries]
    patterns = Markdown(extensions=names).inlinePatterns
    assert {entry.name for entry in patterns._priority} <= set(lean.SIGNS)


def test_no_file_of_the_theme_is_missed(tmp_path: Path) -> None:
    def listed() -> list[str]:
        theme = Theme("material", custom_dir=str(REPO / "pipeline" / "theme"))
        return theme.get_env().list_templates(filter_func=lambda name: "/." not in f"/{name}")

    whole = listed()
    with lean.lean(tmp_path):
        assert listed() == whole
    assert "assets/kf.css" in whole and "partials/nav.html" in whole
