"""Social cards: the right size, the same every time, and readable with any title."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from pipeline.cards import SIZE, draw_card, same_picture


def figure(size: tuple[int, int] = (900, 300), colour: str = "#00aa00") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def opened(card: bytes) -> Image.Image:
    return Image.open(io.BytesIO(card)).convert("RGB")


@pytest.mark.parametrize("title", ["Short", "A title of middling length about decisions", "Antidisestablishment " * 12])
def test_size_margins_and_weight(title: str) -> None:
    for with_figure in (figure(), figure((200, 900)), None):
        card = draw_card(title, "scientist", 3, "Knowledge Forge", with_figure)
        picture = opened(card)
        assert picture.size == SIZE and len(card) < 120_000
        edge = picture.crop((0, 20, 60, 610))
        assert edge.getcolors(16) and len(edge.getcolors(16) or ()) == 1  # nothing is drawn into the margin


def test_the_same_arguments_give_the_same_bytes() -> None:
    assert draw_card("A", "manager", 1, "S", figure()) == draw_card("A", "manager", 1, "S", figure())


def test_it_shows_its_figure_its_edition_and_its_words() -> None:
    card = draw_card("A", "scientist", 1, "S", figure())
    assert opened(card).getpixel((890, 315)) == (0, 170, 0)
    for other in (
        draw_card("B", "scientist", 1, "S", figure()),
        draw_card("A", "manager", 1, "S", figure()),
        draw_card("A", "scientist", 2, "S", figure()),
        draw_card("A", "scientist", 1, "S", figure(colour="#aa0000")),
        draw_card("A", "scientist", 1, "S", None),
    ):
        assert not same_picture(card, other)


def test_packing_does_not_matter_and_rubbish_is_no_picture() -> None:
    card = draw_card("A", "scientist", 1, "S", None)
    packed = io.BytesIO()
    Image.open(io.BytesIO(card)).convert("RGB").save(packed, "PNG", compress_level=1)
    assert packed.getvalue() != card and same_picture(packed.getvalue(), card)
    assert not same_picture(b"rubbish", card)
    assert draw_card("A", "scientist", 1, "S", b"rubbish") == card
