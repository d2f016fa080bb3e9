"""Formulas in built HTML: KaTeX writes each as MathML and as laid-out HTML, and not every reader wants both."""

from __future__ import annotations

import re

_FORMULA = re.compile(r'<(?P<tag>span|div) class="arithmatex"[^>]*>')
_TAGS = {tag: re.compile(rf"<(/?){tag}\b[^>]*>") for tag in ("span", "div")}
_MATH = re.compile(r"<math\b.*?</math>", re.S)


def as_mathml(text: str) -> str:
    """HTML with each formula as MathML alone."""
    return _replaced(text, True)


def without(text: str) -> str:
    """HTML without its formulas."""
    return _replaced(text, False)


def _replaced(text: str, keep: bool) -> str:
    pieces, position = [], 0
    while match := _FORMULA.search(text, position):
        end = _closing(text, match.end(), match["tag"])
        math = _MATH.search(text, match.start(), end) if keep else None
        pieces += [text[position : match.start()], math[0] if math else "" if not keep else text[match.start() : end]]
        position = end
    return "".join([*pieces, text[position:]])


def _closing(text: str, start: int, tag: str) -> int:
    """The end of the element whose content begins at `start`."""
    depth = 1
    for match in _TAGS[tag].finditer(text, start):
        depth += -1 if match[1] else 1
        if depth == 0:
            return match.end()
    return len(text)
