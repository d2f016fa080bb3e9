"""A vault as people really have them: 500 notes with every oddity a folder of Markdown collects over the years."""

from __future__ import annotations

import os
import random
from itertools import pairwise
from pathlib import Path

WORDS = "state action reward policy value token attention gradient model loss step plan note idea proof sweep".split()


def make_messy_vault(root: Path, notes: int = 500) -> None:
    """Write the vault. The same every time; nothing in it is readable by luck."""
    rng = random.Random(7)
    names = [f"{rng.choice(WORDS)} {number}" for number in range(notes - 20)]
    for number, name in enumerate(names):
        folder = root / rng.choice(["", "daily", "daily/2025", "Projects & Ideas", "📚 Books"])
        links = "\n".join(_paragraph(rng, names) for _ in range(12))
        text = f"---\ntags: [a/b, c]\naliases: ['also {number}']\ncreated: 2025-07-07 15:35\n---\n# {name}\n\n{links}\n"
        if number % 5 == 0:
            text = text.replace("\n", "\r\n")
        if number % 7 == 0:
            text = "\ufeff" + text
        if number % 11 == 0:
            text = text.replace("tags: [a/b, c]", "tags:\n\t- a\n\t- b")
        if number % 13 == 0:
            text = text.replace("tags: [a/b, c]", "tags: [a]\ntags: [b]")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.md").write_bytes(text.encode())
    (root / ".obsidian" / "plugins").mkdir(parents=True)
    (root / ".obsidian" / "app.json").write_text("{}")
    (root / ".obsidian" / "plugins" / "hidden.md").write_text("[[nowhere]]")
    (root / ".trash").mkdir()
    (root / ".trash" / "gone.md").write_text("[[nowhere]]")
    (root / "Board.canvas").write_text('{"nodes": [], "edges": []}')
    (root / "picture.png").write_bytes(b"\x89PNG")
    (root / "latin.md").write_bytes("caf\xe9 [[nowhere]]".encode("latin-1"))
    (root / "wide.md").write_bytes("# Wide [[nowhere]]".encode("utf-16"))
    (root / "binary.md").write_bytes(bytes(range(256)) * 40)
    (root / "huge.md").write_text("words and words\n" * 200_000)
    (root / "empty.md").write_text("")
    (root / "only-front.md").write_text("---\n---")
    (root / "open-front.md").write_text("---\ntitle: x\n\nno end")
    (root / "date.md").write_text("---\ncreated: 2025-02-30\nx: 0x1_\n---\ntext")
    (root / "tags.md").write_text("---\na: !!python/object/apply:os.system ['echo no']\nb: &b [*b]\n---\n")
    (root / "bomb.md").write_text("---\na: &a [x,x,x,x,x,x,x,x,x]\n" + _bomb() + "---\n")
    upper = names[0].upper()
    (root / "🎲 dice.md").write_text(
        f"![[🎲 dice]] ![[EMPTY]] [[{upper}|upper]] ![[picture.png|300]] ![[Board.canvas]]"
    )
    (root / "one.md").write_text("![[two]]")
    (root / "two.md").write_text("![[one]]")
    deep = [">" * 300 + " deep", "- " * 200 + "deeper", "[" * 5000, "*" * 5000]
    (root / "deep.md").write_text("\n\n".join(deep))
    templates = '---\ncreated: <% tp.date.now("YYYY") %>\n---\n```dataview\nTABLE x\n```\n<%* await %>'
    (root / "templater.md").write_text(templates)
    (root / "line\u2028separator\x85.md").write_text("a\u2028b\x85c\x0bd [[nowhere#^x]]")
    Path(os.fsdecode(os.fsencode(root) + b"/caf\xe9.md")).write_text("[[nowhere]]")  # a name that is no UTF-8
    (root / "daily" / "loop").symlink_to(root)
    (root / "dangling.md").symlink_to(root / "missing.md")
    os.mkfifo(root / "pipe.md")


def _paragraph(rng: random.Random, names: list[str]) -> str:
    words = " ".join(rng.choice(WORDS) for _ in range(30))
    link = rng.choice(names)
    shape = rng.choice(["[[{}]]", "[[{}|shown]]", "![[{}]]", "[[{}#Nowhere]]", "[md]({}.md)", "#tag/{}", "[^1]"])
    target = link if rng.random() < 0.7 else link.upper()
    task = f"- [ ] task ^id{rng.randint(0, 9)}"
    return f"{words} {shape.format(target)} ==mark== $x_1$ `code`\n\n{task}\n"


def _bomb() -> str:
    lines = (f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in pairwise("abcdefgh"))
    return "".join(lines)
