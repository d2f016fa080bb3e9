"""The search index, made fit to be fetched: each section keeps its first words, a post names its edition."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

from experiments.kit.record import EDITIONS

CHARACTERS = 400
"""How much text of a section the index keeps. A fifth of the whole text, at 200 posts."""


def shorten(out: Path) -> None:
    """Rewrite `search/search_index.json`, where the build made one.

    Topics stand with the post only, not with each of its sections.
    """
    path = out / "search" / "search_index.json"
    if not path.is_file():
        return
    index = json.loads(path.read_text(encoding="utf-8"))
    for entry in index["docs"]:
        text = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", entry["text"]))).strip()
        if len(text) > CHARACTERS:
            text = text[:CHARACTERS].rsplit(" ", 1)[0]
        entry["text"] = html.escape(text, quote=False)
        page, _, section = entry["location"].partition("#")
        if section:
            entry.pop("tags", None)
        elif page.count("/") == 2 and page.split("/")[0] in EDITIONS:
            entry["title"] += f" ({page.split('/')[0].capitalize()} edition)"
    path.write_text(json.dumps(index, ensure_ascii=False, separators=(",", ":"), sort_keys=True), encoding="utf-8")
