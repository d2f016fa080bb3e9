"""WordPiece: tokens that know whether they begin a word, and the longest one that fits.

A word is cut from the left: the longest token of the vocabulary that begins it, then the longest one with the mark ##
that begins the rest, and so on; a word that cannot be cut to the end is unknown as a whole (Devlin et al. 2019, the
code released with BERT; "MaxMatch"). Training merges by the ratio score of `merge_strategies.py`, on characters of
which all but a word's first carry the mark. No order of merges is kept: a vocabulary is all there is.

Wu et al. 2016, "Google's neural machine translation system", section 4.1, for the model; the trainer's details were
never published, and Hugging Face's trains by counts, so here both scores can be asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from experiments.week02_tokens import merge_strategies
from experiments.week02_tokens.merge_strategies import Score

MARK = "##"
UNKNOWN = "[UNK]"


@dataclass(frozen=True)
class Config:
    """Tokens in all, the unknown one included; how pairs are scored, and how often a pair must occur."""

    vocabulary: int = 4096
    score: Score = "ratio"
    least: int = 2
    longest_word: int = 100


@dataclass(frozen=True)
class WordPiece:
    """Token names, id by place; words of more than `longest_word` characters are unknown."""

    tokens: tuple[str, ...]
    longest_word: int = 100


def symbols(word: str) -> list[str]:
    """The characters of a word, all but the first marked as continuing it."""
    return [c if i == 0 else MARK + c for i, c in enumerate(word)]


def join(left: str, right: str) -> str:
    """Spell a merged token: only the first part keeps its mark."""
    return left + right.removeprefix(MARK)


def train(counts: Mapping[str, int], config: Config = Config(), alphabet: Iterable[str] = ()) -> WordPiece:
    """Learn a vocabulary from words and how often each occurs; it holds the characters of `alphabet` in any case."""
    how = merge_strategies.Config(config.vocabulary, config.score, config.least)
    learnt = merge_strategies.train(
        [symbols(word) for word in counts],
        list(counts.values()),
        how,
        alphabet=[UNKNOWN, *(form for c in alphabet for form in (c, MARK + c))],
        join=join,
    )
    return WordPiece(learnt.tokens, config.longest_word)


def cutter(model: WordPiece) -> Callable[[str], list[int]]:
    """A function from one word to ids: longest match first, or the unknown token alone."""
    id_of = {token: i for i, token in enumerate(model.tokens)}
    unknown = id_of[UNKNOWN]
    longest = max(len(token.removeprefix(MARK)) for token in model.tokens)

    def cut(word: str) -> list[int]:
        if len(word) > model.longest_word:
            return [unknown]
        ids: list[int] = []
        start = 0
        while start < len(word):
            mark = MARK if start else ""
            for end in range(min(len(word), start + longest), start, -1):
                found = id_of.get(mark + word[start:end])
                if found is not None:
                    break
            else:
                return [unknown]
            ids.append(found)
            start = end
        return ids

    return cut


def encoder(model: WordPiece) -> Callable[[Iterable[str]], list[int]]:
    """A function from words to ids that remembers the words it has seen."""
    cut = cutter(model)
    kept: dict[str, list[int]] = {}

    def encode(words: Iterable[str]) -> list[int]:
        ids: list[int] = []
        for word in words:
            if word not in kept:
                kept[word] = cut(word)
            ids += kept[word]
        return ids

    return encode


def spell(model: WordPiece, ids: Iterable[int]) -> list[str]:
    """The words of the ids: a token without the mark begins a new one."""
    words: list[str] = []
    for i in ids:
        token = model.tokens[i]
        if token.startswith(MARK) and words:
            words[-1] += token.removeprefix(MARK)
        else:
            words.append(token)
    return words
