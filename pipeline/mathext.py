"""Python-Markdown extension: TeX becomes HTML and MathML while the site is built, so pages need no maths script.

`pymdownx.arithmatex` (generic mode) finds the formulas; this extension hands each to KaTeX, which runs in the embedded
QuickJS engine, and puts the result in their place. A formula that KaTeX refuses, and a `$$` that belongs to no formula,
is reported on the logger `mkdocs.forge.math` with file, line and formula: MkDocs' strict mode turns that into a failed
build. The formula's source then stands on the page, marked, so that a lenient build shows where it is.
"""

from __future__ import annotations

import contextlib
import functools
import html
import json
import logging
import re
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import quickjs
from markdown import Markdown
from markdown.extensions import Extension
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString

KATEX = Path(__file__).parent / "katex" / "katex.min.js"
_HEADING = re.compile("h[1-6]")
_BASE = re.compile(r'(?<=</span>)(?=<span class="katex-base">)')
_CLOSING = re.compile(r"[,.;:!?)\]…]+")
log = logging.getLogger("mkdocs.forge.math")


class TexError(ValueError):
    """KaTeX refused a formula; the message is KaTeX's own."""


@functools.cache
def _engine() -> quickjs.Context:
    """KaTeX, loaded once a process (20 ms)."""
    engine = quickjs.Context()
    engine.eval(KATEX.read_text(encoding="utf-8") + "\n;0")  # the script's own value is no plain JavaScript value
    engine.eval(
        "function render(tex, display) { try { return JSON.stringify({html: katex.renderToString(tex, {"
        "displayMode: display, throwOnError: true, strict: 'ignore', trust: false, output: 'htmlAndMathml'})}) }"
        " catch (error) { return JSON.stringify({error: error.rawMessage || String(error)}) } };0"
    )
    return engine


@functools.lru_cache(maxsize=4096)
def render_tex(tex: str, display: bool = False) -> str:
    """HTML with MathML for one formula (no delimiters). Raises TexError. Cached: excerpts convert a post again."""
    call = f"render({json.dumps(tex)}, {json.dumps(display)})"
    answer: dict[str, str] = json.loads(_engine().eval(call))
    if "error" in answer:
        raise TexError(answer["error"])
    return answer["html"]


def _strip(text: str) -> tuple[str, bool] | None:
    r"""TeX and whether it is a display, from arithmatex's `\(…\)` or `\[…\]`; None if it is neither."""
    text = text.strip()
    if text.startswith(r"\(") and text.endswith(r"\)"):
        return text[2:-2].strip(), False
    if text.startswith(r"\[") and text.endswith(r"\]"):
        return html.unescape(text[2:-2]).strip(), True  # arithmatex escapes displays, not inline formulas
    return None


class _KatexTreeprocessor(Treeprocessor):
    """Replaces what arithmatex marked by KaTeX's HTML (stashed, so nothing touches it again)."""

    def run(self, root: Element) -> None:
        for element in root.iter():
            if _HEADING.fullmatch(element.tag) and element.find(".//span[@class='arithmatex']") is not None:
                element.attrib.setdefault("data-toc-label", _plain(element))
        for element in root.iter():
            if element.get("class") == "arithmatex" and element.text:
                self._render(element)
        _close_up(root)
        for element in root.iter():
            if element.tag in ("code", "pre") or element.get("class") == "arithmatex":
                texts = [element.tail]
            else:
                texts = [element.text, element.tail]
            for text in texts:
                if text and "$$" in text and not isinstance(text, AtomicString):
                    self._report("$$", "belongs to no formula; a display stands in a paragraph of its own")

    def _render(self, element: Element) -> None:
        found = _strip(element.text or "")
        if found is None:
            return
        tex, display = found
        element.set("data-search-exclude", "")  # KaTeX says everything three times
        try:
            rendered = render_tex(tex, display)
        except TexError as error:
            self._report(tex, str(error))
            rendered = f'<code class="kf-tex-error">{html.escape(tex)}</code>'
        if not display:  # where KaTeX lets a line end, said so that it holds in `_close_up` as well
            rendered = _BASE.sub("<wbr>", rendered)
        element.text = AtomicString(self.md.htmlStash.store(rendered))

    def _report(self, tex: str, message: str) -> None:
        where = _place(self.md, tex)
        log.error("%s: formula %s: %s", where, " ".join(tex.split()), message)


def _close_up(root: Element) -> None:
    """A comma or a full stop stands on the line of the formula before it: browsers part the two wherever they meet."""
    for parent in list(root.iter()):
        for at, child in enumerate(parent):
            mark = _CLOSING.match(child.tail or "") if child.get("class") == "arithmatex" else None
            if mark is not None and child.tag == "span" and not isinstance(child.tail, AtomicString):
                whole = Element("span", {"class": "kf-together"})
                whole.tail = (child.tail or "")[mark.end() :]
                child.tail = AtomicString(mark[0])
                whole.append(child)
                parent[at] = whole


def _plain(element: Element) -> str:
    """A heading's text for the table of contents: formulas as the letters and signs of their MathML."""
    parts = [element.text or ""]
    for child in element:
        found = _strip(child.text or "") if child.get("class") == "arithmatex" else None
        if found is None:
            parts.append(_plain(child))
        else:
            with contextlib.suppress(TexError):
                mathml = render_tex(*found).partition("<annotation")[0]
                parts.append(html.unescape(re.sub(r"<[^>]*>", "", mathml)))
        parts.append(child.tail or "")
    return "".join(parts)


def _place(md: Markdown, tex: str) -> str:
    """`file:line` of a formula as far as it is known: MkDocs leaves the page's file with its link processor."""
    if "relpath" not in md.treeprocessors:
        return "text"
    page: Any = getattr(md.treeprocessors["relpath"], "file", None)
    if page is None:
        return "text"
    try:
        source = Path(page.abs_src_path).read_text(encoding="utf-8")
    except OSError:
        return str(page.src_uri)
    pattern = r"\s+".join(re.escape(word) for word in tex.split())
    match = re.search(pattern, source)
    return f"{page.src_uri}:{source.count(chr(10), 0, match.start()) + 1}" if match else str(page.src_uri)


class KatexExtension(Extension):
    """Registers the processor after inline parsing (20) and attribute lists (8), before the table of contents (5)."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 (Python-Markdown's name)
        """Python-Markdown's hook."""
        md.treeprocessors.register(_KatexTreeprocessor(md), "forge-katex", 7)


def makeExtension(**options: Any) -> KatexExtension:  # noqa: N802 (Python-Markdown's name)
    """Python-Markdown's entry point."""
    return KatexExtension(**options)
