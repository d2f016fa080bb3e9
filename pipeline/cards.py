"""Social cards: what a link to a post shows elsewhere. Drawn here, offline, with the post's first figure.

A card is a function of its arguments: the same text and figure give the same pixels (Pillow brings its own FreeType,
matplotlib the typefaces; both are pinned).
"""

from __future__ import annotations

import io
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

SIZE = (1200, 630)
PAPER, INK, QUIET, RULE = "#fcfbf7", "#22252a", "#565b63", "#e2ddd1"
ACCENT = {"scientist": "#0b5a6d", "manager": "#a83f19"}
MARGIN = 64


def draw_card(title: str, edition: str, week: int, site: str, figure: bytes | None) -> bytes:
    """A PNG of 1200 × 630 pixels. `figure` is the PNG of a figure; without one the title has all the width."""
    card = Image.new("RGB", SIZE, PAPER)
    pen = ImageDraw.Draw(card)
    pen.rectangle((0, 0, SIZE[0], 14), fill=ACCENT[edition])
    width = SIZE[0] - 2 * MARGIN
    drawn = _opened(figure) if figure is not None else None
    if drawn is not None:
        width = 520
        _paste(card, drawn, (MARGIN + width + 44, 84, SIZE[0] - 48, SIZE[1] - 84))
    kicker = f"{f'Week {week} · ' if week else ''}{edition.capitalize()} edition".upper()
    pen.text((MARGIN, 84), kicker, font=_font("DejaVuSans-Bold", 22), fill=ACCENT[edition])
    size, lines = _fitted(pen, title, width, 320)
    top = 140.0
    for line in lines:
        pen.text((MARGIN, top), line, font=_font("DejaVuSerif-Bold", size), fill=INK)
        top += size * 1.22
    pen.line((MARGIN, SIZE[1] - 118, MARGIN + width, SIZE[1] - 118), fill=RULE, width=2)
    pen.text((MARGIN, SIZE[1] - 98), site, font=_font("DejaVuSans-Bold", 24), fill=INK)
    pen.text((MARGIN, SIZE[1] - 64), "Every number comes from a run.", font=_font("DejaVuSans", 20), fill=QUIET)
    out = io.BytesIO()
    card.quantize(128, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def same_picture(one: bytes, other: bytes) -> bool:
    """Whether two PNGs show the same pixels, however they are packed. False for what is no PNG."""
    a, b = _opened(one), _opened(other)
    return a is not None and b is not None and a.size == b.size and a.tobytes() == b.tobytes()


def _fitted(pen: ImageDraw.ImageDraw, text: str, width: int, height: int) -> tuple[int, list[str]]:
    """The largest type in which the text fits the box, and its lines."""
    for size in range(58, 24, -2):
        lines = _lines(pen, text, size, width)
        if len(lines) * size * 1.22 <= height and all(_length(pen, line, size) <= width for line in lines):
            break
    return size, lines


def _lines(pen: ImageDraw.ImageDraw, text: str, size: int, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and _length(pen, longer, size) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _length(pen: ImageDraw.ImageDraw, text: str, size: int) -> float:
    return pen.textlength(text, font=_font("DejaVuSerif-Bold", size))


def _opened(data: bytes) -> Image.Image | None:
    try:
        return Image.open(io.BytesIO(data)).convert("RGBA")
    except OSError:
        return None


def _paste(card: Image.Image, drawn: Image.Image, box: tuple[int, int, int, int]) -> None:
    """The figure on white, as large as the box allows, in its middle."""
    left, top, right, bottom = box
    ImageDraw.Draw(card).rectangle(box, fill="#ffffff", outline=RULE, width=2)
    room = (right - left - 36, bottom - top - 36)
    scale = min(room[0] / drawn.width, room[1] / drawn.height)
    drawn = drawn.resize((round(drawn.width * scale), round(drawn.height * scale)), Image.Resampling.LANCZOS)
    at = ((left + right - drawn.width) // 2, (top + bottom - drawn.height) // 2)
    card.paste(drawn, at, drawn)


@cache
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    found = find_spec("matplotlib")  # its typefaces, without the half second of importing it
    assert found is not None and found.origin is not None
    return ImageFont.truetype(str(Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / f"{name}.ttf"), size)
