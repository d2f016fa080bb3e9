"""Which names mean the same topic: the table of `topics.md`, and how names are compared.

Names are compared as runs of whole words: case, accents' encoding, punctuation and a final plural s do not count, so
"Policy gradients", "policy-gradient" and the tag `rl/policy-gradient` hold the same words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pipeline.finding import did_you_mean
from pipeline.plan.reader import OBSIDIAN_KEYS, Reader


@dataclass(frozen=True)
class TopicTable:
    """Topics by name, each with the names it goes by (its own first)."""

    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)

    def find(self, asked: str) -> str:
        """The topic that goes by a name; '' where none does."""
        wanted = words(asked)
        return next((topic for topic, names in self.names.items() if wanted in map(words, names)), "")

    def of(self, texts: Iterable[str]) -> tuple[str, ...]:
        """The topics one of whose names stands in one of the texts, in the table's order."""
        said = "\n".join(words(text) for text in texts)  # a name is looked for within one text: it holds no line end
        return tuple(topic for topic, names in self.names.items() if any(words(name) in said for name in names))

    def nearest(self, asked: str) -> str:
        """`did you mean 'x'?` for the nearest topic or other name."""
        return did_you_mean(asked, [name for names in self.names.values() for name in names])


@cache
def words(text: str) -> str:
    """A text as its words, each with a space before and after, so that whole runs of words can be looked for."""
    flat = unicodedata.normalize("NFKC", text).casefold()
    return "".join([" ", *(f"{_stem(word)} " for word in re.findall(r"[^\W_]+", flat))])


def _stem(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def read_topics(reader: Reader, data: Mapping[str, Any]) -> TopicTable:
    """The properties of `topics.md`. A name that two topics claim is a finding."""
    reader.keys(data, (), ("type", "title", "topics", *OBSIDIAN_KEYS), ("type", "topics"))
    reader.kind(data, "topics")
    raw = data.get("topics")
    if not isinstance(raw, dict):
        if raw is not None:
            reader.wrong(("topics",), raw, "a mapping", "write a topic a line: `attention: [self-attention]`")
        return TopicTable()
    names: dict[str, tuple[str, ...]] = {}
    owner: dict[str, str] = {}
    for topic in raw:
        names[topic] = tuple(dict.fromkeys((topic, *reader.texts(raw, ("topics",), topic))))
        for name in names[topic]:
            other = owner.setdefault(words(name), topic)
            if other != topic:
                message = f"'{name}' is a name of '{topic}' and of '{other}'"
                reader.report("plan.shared-topic", ("topics", topic), message, "keep it with one of the two")
    return TopicTable(names, {topic: reader.line(("topics", topic)) for topic in raw})
