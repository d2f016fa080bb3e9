"""mkdocs.yml says what the design fixes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mkdocs.config import load_config

REPO = Path(__file__).parents[2]


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("FORGE_SITE_DIR", "FORGE_SITE_URL", "FORGE_SITE_AUTHOR", "FORGE_SITE_PREVIEW", "FORGE_SITE_SEARCH"):
        monkeypatch.delenv(name, raising=False)
    return load_config(str(REPO / "mkdocs.yml"))


def test_sources_and_output_lie_apart(config: Any) -> None:
    assert Path(config.docs_dir) == REPO / "site"
    assert Path(config.site_dir) == REPO / "public"


def test_output_can_be_moved_for_previews(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FORGE_SITE_DIR", str(tmp_path / "elsewhere"))
    assert Path(load_config(str(REPO / "mkdocs.yml")).site_dir) == tmp_path / "elsewhere"


def test_two_blogs_and_nothing_that_fetches(config: Any) -> None:
    blogs = [plugin.config.blog_dir for name, plugin in config.plugins.items() if name.startswith("material/blog")]
    assert blogs == ["scientist", "manager"]
    names = {name.partition(" ")[0] for name in config.plugins}
    assert names == {"material/meta", "material/search", "material/blog", "material/tags"}
    assert config.theme["font"] is False
    assert not config.repo_url
    assert not config.hooks


def test_every_kind_of_dead_link_is_reported(config: Any) -> None:
    import logging

    links, nav = config.validation.links, config.validation.nav
    assert {links.not_found, links.anchors, links.absolute_links, links.unrecognized_links} == {logging.WARNING}
    assert {nav.omitted_files, nav.not_found, nav.absolute_links} == {logging.WARNING}
    assert config.strict


def test_output_is_ignored_by_git() -> None:
    ignored = (REPO / ".gitignore").read_text(encoding="utf-8").split()
    assert "public/" in ignored
    assert ".forge/" in ignored
