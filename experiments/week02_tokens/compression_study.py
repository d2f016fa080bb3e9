"""How much text does a token carry, by language, script and domain, and how close is that to what entropy permits?

The same declaration in many languages goes through GPT-2's published vocabulary. Vocabularies trained here on plays,
on code and on both meet texts of several kinds. And the bits that a token code needs, of fixed or of varying length,
stand beside entropies of growing order and beside general compressors.
"""

# ruff: noqa: E501 (facts and sentences stay whole, one a line)
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from experiments.kit import data, plots
from experiments.kit.contract import Budget, Figure, Log, Outcome, Point, Theme
from experiments.kit.record import Claim, Derivation, Fact, claim, derive, fact, parameter
from experiments.kit.summary import entry, over_seeds
from experiments.week02_tokens import bpe, corpora
from experiments.week02_tokens import entropy as bits
from experiments.week02_tokens.languages import BY_CODE, LANGUAGES, SCRIPTS, Language
from experiments.week02_tokens.pretokens import encoded_size, to_bytes

TITLE = "Compression by language, script and domain"
QUESTION = "How much text does one token carry, in which language and domain, and how far is that from the entropy?"
LIMITS = (
    "Each language is one translation of one legal text of a few pages; other genres in the same language may differ.",
    "Only GPT-2's published vocabulary was put to the languages; later models spend far more of theirs on other scripts.",
    "A translation may be longer or shorter than its original, and token counts carry that difference as well.",
    "Entropies are computed from the counts of the text they describe, without the cost of telling those counts to a receiver.",
    "Whether old spelling costs tokens was not shown: plays differ among themselves by as much.",
    "The order of the domains holds for these corpora: one playwright, one Python library, one JavaScript library.",
)
TIMED = False

KINDS = {
    "plays": "plays held out",
    "folio": "plays in old spelling",
    "milton": "epic verse",
    "law": "legal English",
    "python": "Python held out",
    "javascript": "JavaScript",
}
TRAINED = {"plays": "plays", "python": "Python code", "mixed": "plays and code"}
SIZES = {"v256": 256, "v1024": 1024, "v4096": 4096, "v16384": 16384}
ORDERS = 6


@dataclass(frozen=True)
class Scale:
    """What a budget changes: languages, characters to train on and to test, size of vocabularies, seeds."""

    languages: int
    train: int
    test: int
    vocabulary: int
    sizes: Mapping[str, int]
    plays: int
    seeds: int


SCALES: Mapping[Budget, Scale] = {
    "smoke": Scale(len(LANGUAGES), 60_000, 20_000, 512, {k: min(v, 1024 + i) for i, (k, v) in enumerate(SIZES.items())}, 60_000, 3),
    "small": Scale(len(LANGUAGES), 600_000, 200_000, 4096, SIZES, 2_000_000, 5),
    "full": Scale(len(LANGUAGES), 2_000_000, 400_000, 4096, SIZES, 5_000_000, 20),
}  # fmt: skip


@dataclass(frozen=True)
class Spoken:
    """The declaration in one language, by GPT-2's vocabulary."""

    code: str


@dataclass(frozen=True)
class Domain:
    """A vocabulary trained on one domain, tried on all."""

    trained: str
    train: int
    test: int
    vocabulary: int


@dataclass(frozen=True)
class Bits:
    """Token codes of the sizes in `sizes` and entropies on held-out plays; at most `characters` to train on."""

    sizes: tuple[tuple[str, int], ...]
    characters: int


def sweep(budget: Budget) -> Sequence[Point]:
    """All languages once; domains and entropies over seeds, which draw the texts held out."""
    scale = SCALES[budget]
    spoken = [Point(Spoken(language.code)) for language in LANGUAGES[: scale.languages]]
    repeated: list[Any] = [Domain(name, scale.train, scale.test, scale.vocabulary) for name in TRAINED]
    repeated.append(Bits(tuple(scale.sizes.items()), scale.plays))
    return spoken + [Point(config, seed) for config in repeated for seed in range(scale.seeds)]


def measure(config: Spoken | Domain | Bits, seed: int, log: Log) -> Mapping[str, Any]:
    """Count tokens and bytes."""
    if isinstance(config, Spoken):
        return _spoken(config)
    return _domain(config, seed) if isinstance(config, Domain) else _bits(config, seed)


@cache
def _gpt2() -> tuple[bpe.BPE, bpe.Merge]:
    model = bpe.from_gpt2(*data.gpt2_vocabulary())
    return model, bpe.merger(model)


def _spoken(config: Spoken) -> Mapping[str, Any]:
    model, merged = _gpt2()
    text = "\n".join(data.declaration(config.code).parts)
    ids = bpe.encoder(model, merged)(text)
    raw = to_bytes(text)
    return {
        "vocabulary": len(model.tokens),
        "tokens": len(ids),
        "bytes": len(raw),
        "characters": len(text),
        "single": sum(len(model.tokens[i]) == 1 for i in ids) / len(ids),
        "packed": bits.compressed_size(raw)["bz2"],
    }


def _domain(config: Domain, seed: int) -> Mapping[str, Any]:
    plays, held_plays = corpora.split_plays(seed)
    code, held_code = corpora.split_code(seed)
    half = config.train // 2
    train = {
        "plays": corpora.first(plays, config.train),
        "python": corpora.first(code, config.train),
        "mixed": corpora.first(plays, half) + corpora.first(code, half),
    }[config.trained]
    tests = {
        "plays": held_plays,
        "folio": corpora.shuffled(data.folio(), seed),
        "milton": [data.paradise_lost()],
        "law": ["\n".join(data.declaration("eng").parts)],
        "python": held_code,
        "javascript": [data.javascript_code()],
    }
    encode = bpe.encoder(bpe.train(train, bpe.Config(config.vocabulary)))
    found: dict[str, Any] = {}
    for kind, texts in tests.items():
        taken = corpora.first(texts, config.test)
        found[kind] = encoded_size(taken) / sum(len(encode(text)) for text in taken)
    return {"bytes_per_token": found, "train_bytes": encoded_size(train)}


def _bits(config: Bits, seed: int) -> Mapping[str, Any]:
    """Bits per byte of held-out plays: by codes that know the training plays' token counts, and by order of entropy."""
    train, test = corpora.split_plays(seed)
    train, test = corpora.first(train, config.characters), corpora.first(test, config.characters)
    size = encoded_size(test)
    largest = bpe.train(train, bpe.Config(max(v for _, v in config.sizes)))
    codes: dict[str, Any] = {}
    for name, vocabulary in config.sizes:
        model = bpe.truncated(largest, vocabulary)
        encode = bpe.encoder(model)
        V = len(model.tokens)
        seen = np.sum([np.bincount(encode(text), minlength=V) for text in train], axis=0)
        held = np.sum([np.bincount(encode(text), minlength=V) for text in test], axis=0)
        tokens = int(held.sum())
        codes[name] = {
            "tokens": tokens,
            "fixed": bits.bits_per_byte(math.log2(V), tokens, size),
            "entropy": bits.bits_per_byte(bits.entropy(held), tokens, size),
            "huffman": bits.bits_per_byte(bits.huffman_bits(held), tokens, size),
            "held_out": bits.bits_per_byte(bits.cross_entropy(held, seen + 1), tokens, size),
        }
    raw = b"".join(map(to_bytes, test))
    return {
        "bytes": size,
        "train_bytes": encoded_size(train),
        "codes": codes,
        "orders": [bits.conditional_entropy(raw, k) for k in range(ORDERS)],
        **{name: 8 * packed / size for name, packed in bits.compressed_size(raw).items()},
    }


def facts(outcomes: Sequence[Outcome]) -> Sequence[Fact]:
    """Parameters; every language; every pair of domains; every code and entropy."""
    spoken = [o for o in outcomes if isinstance(o.config, Spoken)]
    domains = [o for o in outcomes if isinstance(o.config, Domain)]
    codes = [o for o in outcomes if isinstance(o.config, Bits)]
    english = next(o for o in spoken if o.config.code == "eng").metrics
    scripts = {BY_CODE[o.config.code].script for o in spoken}
    made = [
        parameter("comp.languages", len(spoken), "languages", "languages of the declaration", fmt="d"),
        parameter("comp.scripts", len(scripts), "scripts", "scripts they are written in", fmt="d"),
        parameter("comp.gpt2.vocabulary", english["vocabulary"], "tokens", "tokens of GPT-2's vocabulary, its end mark apart", fmt=",d"),
        parameter("comp.seeds", len(codes), "seeds", "random choices of the texts held out", fmt="d"),
        parameter("comp.domain.vocabulary", domains[0].config.vocabulary, "tokens", "tokens of the vocabularies trained on domains", fmt=",d"),
        parameter("comp.domain.train", domains[0].config.train, "characters", "characters each of them is trained on", fmt=",d"),
        parameter("comp.bits.train", codes[0].config.characters, "characters", "characters of plays that token codes are built from, at most", fmt=",d"),
        parameter("comp.bits.held_plays", corpora.HELD_OUT_PLAYS, "plays", "plays held out of training", fmt="d"),
        parameter("comp.byte_bits", 8, "bits", "bits of a byte", fmt="d"),
    ]  # fmt: skip
    for o in spoken:
        made += _language_facts(BY_CODE[o.config.code], o.metrics, english)
    for script in SCRIPTS:
        inside = [o.metrics for o in spoken if BY_CODE[o.config.code].script == script]
        words = f"{script} script: tokens for the declaration over those for the English one, mean of its languages ({len(inside)})"
        made.append(_exact(f"comp.script.{script.lower()}.premium", float(np.mean([m["tokens"] for m in inside])) / english["tokens"], "times", words, ".1f", better="lower"))  # fmt: skip
    for trained, name in TRAINED.items():
        own = [o for o in domains if o.config.trained == trained]
        for kind, label in KINDS.items():
            made.append(over_seeds(f"comp.domain.{trained}.{kind}", own, entry("bytes_per_token", kind), "bytes per token", f"bytes a token of {label}, vocabulary trained on {name}", ".2f", ".1f", better="higher"))  # fmt: skip
    return made + _bits_facts(codes)


def _exact(key: str, value: float, unit: str, description: str, fmt: str, plain: str = "", **more: Any) -> Fact:
    """A count that no randomness touches."""
    return fact(key, value, unit, description, fmt=fmt, plain_fmt=plain or None, kind="exact", depth=3, **more)


def _language_facts(language: Language, m: Mapping[str, Any], english: Mapping[str, Any]) -> list[Fact]:
    key, name = f"comp.lang.{language.key}", language.name
    return [
        _exact(f"{key}.tokens", m["tokens"], "tokens", f"{name}: tokens of the declaration", ",d", better="lower"),
        _exact(f"{key}.bytes", m["bytes"], "bytes", f"{name}: bytes of the declaration in UTF-8", ",d"),
        _exact(f"{key}.characters", m["characters"], "characters", f"{name}: characters of the declaration", ",d"),
        _exact(f"{key}.bytes_per_token", m["bytes"] / m["tokens"], "bytes per token", f"{name}: bytes a token", ".2f", ".1f", better="higher"),
        _exact(f"{key}.characters_per_token", m["characters"] / m["tokens"], "characters per token", f"{name}: characters a token", ".2f", ".1f", better="higher"),
        _exact(f"{key}.premium", m["tokens"] / english["tokens"], "times", f"{name}: tokens over those of the English declaration", ".2f", ".1f", better="lower"),
        _exact(f"{key}.size_premium", m["bytes"] / english["bytes"], "times", f"{name}: bytes over those of the English declaration", ".2f", ".1f", better="lower"),
        _exact(f"{key}.packed_premium", m["packed"] / english["packed"], "times", f"{name}: bytes packed by bzip2 over those of the English declaration", ".2f", ".1f", better="lower"),
        _exact(f"{key}.single", m["single"], "fraction", f"{name}: share of tokens that hold a single byte", ".0%", better="lower"),
    ]  # fmt: skip


def _bits_facts(codes: Sequence[Outcome]) -> list[Fact]:
    made: list[Fact] = []
    words = {
        "fixed": "a code of fixed length over tokens",
        "entropy": "the entropy of tokens taken singly",
        "huffman": "a Huffman code over tokens",
        "held_out": "an ideal code over tokens built from the training plays",
    }
    for tag, vocabulary in codes[0].config.sizes:
        made.append(parameter(f"comp.bits.{tag}.vocabulary", vocabulary, "tokens", "tokens of a vocabulary whose codes are compared", fmt=",d"))  # fmt: skip
        for name, text in words.items():
            made.append(over_seeds(f"comp.bits.{tag}.{name}", codes, entry("codes", tag, name), "bits per byte", f"{text}, {vocabulary} tokens, on held-out plays", ".3f", ".1f", better="lower"))  # fmt: skip
    for k in range(ORDERS):
        text = f"entropy of a byte given the {k} before it, from the counts of the held-out plays themselves"
        made.append(
            over_seeds(
                f"comp.bits.order{k}",
                codes,
                entry("orders", k),
                "bits per byte",
                text,
                ".3f",
                ".1f",
            )
        )
    for name, program in (("bz2", "bzip2"), ("lzma", "LZMA")):
        made.append(over_seeds(f"comp.bits.{name}", codes, entry(name), "bits per byte", f"{program} on the held-out plays", ".3f", ".1f", better="lower"))  # fmt: skip
    return made


def derived() -> Sequence[Derivation]:
    """Ratios that the sentences need."""
    others = [language.key for language in LANGUAGES[1:]]
    return [
        derive("comp.worst_premium", "largest", *[f"comp.lang.{k}.premium" for k in others], description="largest number of tokens for the declaration, relative to English", fmt=".1f", plain_fmt=".0f"),
        derive("comp.least_premium", "smallest", *[f"comp.lang.{k}.premium" for k in others], description="smallest number of tokens for the declaration in a language other than English, relative to English", fmt=".2f", plain_fmt=".1f"),
        derive("comp.burmese_over_size", "ratio", "comp.lang.burmese.premium", "comp.lang.burmese.size_premium", description="Burmese: premium in tokens over premium in bytes", fmt=".1f"),
        derive("comp.domain.code_loss", "percent_change", "comp.domain.plays.python", "comp.domain.python.python", description="bytes a token of Python code: vocabulary of plays against vocabulary of code", fmt=".0f"),
        derive("comp.domain.prose_loss", "percent_change", "comp.domain.python.plays", "comp.domain.plays.plays", description="bytes a token of plays: vocabulary of code against vocabulary of plays", fmt=".0f"),
        derive("comp.domain.mixed_prose_loss", "percent_change", "comp.domain.mixed.plays", "comp.domain.plays.plays", description="bytes a token of plays: mixed vocabulary against vocabulary of plays", fmt=".0f"),
        derive("comp.domain.mixed_code_loss", "percent_change", "comp.domain.mixed.python", "comp.domain.python.python", description="bytes a token of Python code: mixed vocabulary against vocabulary of code", fmt=".0f"),
        derive("comp.bits.blind", "difference", "comp.bits.v16384.held_out", "comp.bits.bz2", description="bits a byte that the largest vocabulary's ideal code needs beyond bzip2", fmt=".2f"),
        derive("comp.bits.code_gain", "percent_change", "comp.bits.v4096.held_out", "comp.bits.v4096.fixed", description="bits saved by a code of varying length", fmt=".0f"),
    ]  # fmt: skip


def claims() -> Sequence[Claim]:
    """What the study found, as comparisons that could have come out otherwise."""
    others = [language.key for language in LANGUAGES[1:]]
    b = "comp.bits"
    return [
        claim(
            "comp.claim.english_is_cheapest",
            "above",
            *[f"comp.lang.{k}.premium" for k in others],
            bound=1.9,
            says="GPT-2's vocabulary serves English alone: every other of the {val}`comp.languages` languages takes at least {val}`comp.least_premium` as many tokens for the same declaration.",
            plain="The vocabulary was made for English: the same text takes at least {val}`comp.least_premium` as many tokens in every other language that was tried.",
        ),
        claim(
            "comp.claim.burmese_is_dearest",
            "ratio_at_least",
            "comp.lang.burmese.tokens",
            "comp.lang.english.tokens",
            bound=15,
            says="The dearest is Burmese: {val}`comp.lang.burmese.tokens` tokens for what takes {val}`comp.lang.english.tokens` in English, {val}`comp.lang.burmese.premium` as many.",
            plain="Saying the same in Burmese costs {val}`comp.lang.burmese.premium` as many tokens as in English.",
        ),
        claim(
            "comp.claim.bytes_are_not_the_reason",
            "greater",
            "comp.lang.burmese.premium",
            "comp.lang.burmese.size_premium",
            bound=5,
            says="Long encodings explain a small part of that: in bytes the Burmese declaration is {val}`comp.lang.burmese.size_premium` the English one, in tokens {val}`comp.lang.burmese.premium`.",
            plain="Burmese text does take more storage, {val}`comp.lang.burmese.size_premium` as much, but that is far less than {val}`comp.lang.burmese.premium` as many tokens.",
        ),
        claim(
            "comp.claim.content_is_the_same",
            "below",
            *[f"comp.lang.{k}.packed_premium" for k in others],
            bound=1.7,
            says="Nor does the content: packed by bzip2, which learns each script from the text itself, the Burmese declaration is {val}`comp.lang.burmese.packed_premium` the size of the English one, and none is much larger.",
            plain="A general compressor, which favours no language, packs the Burmese text to {val}`comp.lang.burmese.packed_premium` the size of the English one: the difference lies in the vocabulary.",
        ),
        claim(
            "comp.claim.some_scripts_get_bytes",
            "above",
            "comp.lang.tamil.single",
            "comp.lang.armenian.single",
            "comp.lang.khmer.single",
            "comp.lang.burmese.single",
            bound=0.9,
            says="For some scripts the vocabulary holds nearly nothing: {val}`comp.lang.tamil.single` of the tokens of Tamil and {val}`comp.lang.khmer.single` of those of Khmer are single bytes.",
            plain="Some scripts are read letter fragment by letter fragment: in Tamil, {val}`comp.lang.tamil.single` of the tokens hold just a single byte.",
        ),
        claim(
            "comp.claim.latin_is_not_enough",
            "greater",
            "comp.lang.yoruba.premium",
            "comp.lang.arabic.premium",
            bound=1,
            says="The script alone does not decide: Yoruba and Vietnamese, in Latin letters with many accents, take {val}`comp.lang.yoruba.premium` and {val}`comp.lang.vietnamese.premium` as many tokens as English, Arabic {val}`comp.lang.arabic.premium`.",
            plain="Sharing the alphabet does not help by itself: Yoruba, in Latin letters with many accents, costs {val}`comp.lang.yoruba.premium` as much as English, Arabic only {val}`comp.lang.arabic.premium`.",
        ),
        claim(
            "comp.claim.chinese_beats_german_in_text",
            "less",
            "comp.lang.chinese.characters_per_token",
            "comp.lang.german.characters_per_token",
            bound=1,
            says="Characters a token mislead across scripts: Chinese gets {val}`comp.lang.chinese.characters_per_token` of them and German {val}`comp.lang.german.characters_per_token`, yet their declarations take {val}`comp.lang.chinese.tokens` and {val}`comp.lang.german.tokens` tokens.",
            plain="Counting characters misleads: a Chinese token holds {val}`comp.lang.chinese.characters_per_token` characters and a German one {val}`comp.lang.german.characters_per_token`, but the whole text takes {val}`comp.lang.chinese.tokens` and {val}`comp.lang.german.tokens` tokens, which is not far apart.",
        ),
        claim(
            "comp.claim.home_is_best_for_plays",
            "best_is",
            "comp.domain.plays.plays",
            "comp.domain.mixed.plays",
            "comp.domain.python.plays",
            says="A vocabulary is best at home: on held-out plays the one trained on plays gets {val}`comp.domain.plays.plays` bytes a token, the one trained on code {val}`comp.domain.python.plays`.",
            plain="A vocabulary works best on the kind of text it was made from: plays get {val}`comp.domain.plays.plays` bytes into a token with their own vocabulary and {val}`comp.domain.python.plays` with one made for code.",
        ),
        claim(
            "comp.claim.code_suffers_more",
            "less",
            "comp.domain.code_loss",
            "comp.domain.prose_loss",
            bound=5,
            says="Code suffers more from the wrong vocabulary than prose does: its bytes a token change by {val}`comp.domain.code_loss`, those of plays by {val}`comp.domain.prose_loss`.",
            plain="Code is hit harder by a foreign vocabulary than prose: {val}`comp.domain.code_loss` against {val}`comp.domain.prose_loss`.",
        ),
        claim(
            "comp.claim.mixing_is_cheap",
            "above",
            "comp.domain.mixed_prose_loss",
            "comp.domain.mixed_code_loss",
            bound=-12,
            says="Training on both is a good bargain: of its bytes a token, prose loses {val}`comp.domain.mixed_prose_loss` and code {val}`comp.domain.mixed_code_loss` against their own vocabularies.",
            plain="A vocabulary made from both kinds of text costs each of them little: {val}`comp.domain.mixed_prose_loss` for plays and {val}`comp.domain.mixed_code_loss` for code.",
        ),
        claim(
            "comp.claim.code_helps_code",
            "intervals_apart",
            "comp.domain.python.javascript",
            "comp.domain.plays.javascript",
            says="Code helps code: JavaScript gets {val}`comp.domain.python.javascript` bytes a token from a vocabulary trained on Python and {val}`comp.domain.plays.javascript` from one trained on plays, though the languages differ.",
            plain="A vocabulary made from code of one programming language serves another as well: {val}`comp.domain.python.javascript` bytes in a token, where a vocabulary made from plays gets {val}`comp.domain.plays.javascript`.",
        ),
        claim(
            "comp.claim.fixed_has_a_best_size",
            "best_is",
            f"{b}.v4096.fixed",
            f"{b}.v256.fixed",
            f"{b}.v1024.fixed",
            f"{b}.v16384.fixed",
            says="With codes of fixed length, a larger vocabulary stops paying: {val}`comp.bits.v1024.fixed` bits a byte at {val}`comp.bits.v1024.vocabulary` tokens, {val}`comp.bits.v4096.fixed` at {val}`comp.bits.v4096.vocabulary` and {val}`comp.bits.v16384.fixed` at {val}`comp.bits.v16384.vocabulary`.",
            plain="Bigger is not always better: written with numbers of equal length, the text is shortest with {val}`comp.bits.v4096.vocabulary` tokens, not with {val}`comp.bits.v16384.vocabulary`.",
        ),
        claim(
            "comp.claim.entropy_keeps_falling",
            "decreasing",
            *[f"{b}.{tag}.held_out" for tag in SIZES],
            bound=0.05,
            says="With codes fitted to how often tokens occur it keeps paying: from {val}`comp.bits.v256.held_out` bits a byte for single bytes to {val}`comp.bits.v16384.held_out` with {val}`comp.bits.v16384.vocabulary` tokens, on plays that neither vocabulary nor code had seen.",
            plain="If frequent tokens get short codes, larger vocabularies keep helping: from {val}`comp.bits.v256.held_out` bits for each byte down to {val}`comp.bits.v16384.held_out`.",
        ),
        claim(
            "comp.claim.huffman_is_close",
            "ratio_at_most",
            f"{b}.v4096.huffman",
            f"{b}.v4096.entropy",
            bound=1.01,
            says="Whole bits are enough: at {val}`comp.bits.v4096.vocabulary` tokens Huffman's code needs {val}`comp.bits.v4096.huffman` bits a byte where the entropy of the tokens is {val}`comp.bits.v4096.entropy`.",
            plain="A simple code of whole bits comes within a hair of the theoretical limit: {val}`comp.bits.v4096.huffman` against {val}`comp.bits.v4096.entropy` bits for each byte.",
        ),
        claim(
            "comp.claim.tokens_see_no_context",
            "intervals_apart",
            f"{b}.v16384.held_out",
            f"{b}.bz2",
            says="Tokens taken singly miss the context between them: bzip2 needs {val}`comp.bits.bz2` bits a byte, the best of these token codes {val}`comp.bits.v16384.held_out`. That gap is what a language model is for.",
            plain="Cutting text into good pieces is only the beginning of compression: a program that also looks at what came before needs {val}`comp.bits.bz2` bits for each byte, the best code over single tokens {val}`comp.bits.v16384.held_out`.",
        ),
        claim(
            "comp.claim.order_lowers_entropy",
            "decreasing",
            *[f"{b}.order{k}" for k in range(ORDERS)],
            bound=0.1,
            says="Context is worth a great deal: the entropy of a byte falls from {val}`comp.bits.order0` bits without any to {val}`comp.bits.order3` given the last bytes of a short word; what it falls to with still more is mostly memory of this very text.",
            plain="What came before helps to guess what comes next: the uncertainty of a letter falls from {val}`comp.bits.order0` bits to {val}`comp.bits.order3` once the last few are known.",
        ),
    ]


def figures(outcomes: Sequence[Outcome]) -> Sequence[Figure]:
    """Premiums by language, the table of domains, bits by vocabulary."""
    spoken = [o for o in outcomes if isinstance(o.config, Spoken)]
    domains = [o for o in outcomes if isinstance(o.config, Domain)]
    codes = [o for o in outcomes if isinstance(o.config, Bits)]
    return [_premiums(spoken), _domains(domains), _bits_figure(codes)]


def _premiums(spoken: Sequence[Outcome]) -> Figure:
    english = next(o for o in spoken if o.config.code == "eng").metrics
    ordered = sorted(spoken, key=lambda o: o.metrics["tokens"])
    names = [BY_CODE[o.config.code].name for o in ordered]
    scripts = [BY_CODE[o.config.code].script for o in ordered]
    columns = {
        "tokens": [o.metrics["tokens"] / english["tokens"] for o in ordered],
        "bytes": [o.metrics["bytes"] / english["bytes"] for o in ordered],
        "packed": [o.metrics["packed"] / english["packed"] for o in ordered],
    }

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            axes = canvas.subplots()
            ys = np.arange(len(names))
            axes.hlines(ys, 1, columns["tokens"], color=palette.faint, linewidth=2.5)
            for index, (label, xs) in enumerate(columns.items()):
                axes.plot(xs, ys, linestyle="none", marker=plots.MARKERS[index], markersize=6, color=plots.colour(theme, index), label=label)  # fmt: skip
            axes.set(xscale="log", xlabel="compared with English (log scale)", ylim=(-0.8, len(names) + 0.9))
            axes.set_xticks([1, 2, 5, 10, 20], ["1×", "2×", "5×", "10×", "20×"])
            axes.xaxis.minorticks_off()
            labels = [n if s in (n, "Latin") else f"{n} ({s})" for n, s in zip(names, scripts, strict=True)]
            axes.set_yticks(ys, labels, fontsize=plots.FONT - 2)
            axes.grid(axis="y", visible=False)
            axes.legend(loc="lower right", frameon=False)

        return plots.figure(theme, 7.4, fill)

    return Figure(
        "comp_languages",
        "The same declaration in {val}`comp.languages` languages, relative to English: tokens of GPT-2's vocabulary, bytes in UTF-8, and bytes packed by bzip2. Tokens spread up to {val}`comp.worst_premium`; packed sizes hardly differ.",
        "What the same text costs in each language, compared with English. Circles show tokens, squares storage, and triangles storage after general compression: only the first differ wildly.",
        "A list of languages, cheapest at the bottom, with marks on a logarithmic scale. The marks for tokens reach from English on the left to Burmese at {val}`comp.worst_premium`; the marks for packed bytes all stay near the left.",
        {"language": names, "script": scripts, **columns},
        draw,
    )


def _domains(domains: Sequence[Outcome]) -> Figure:
    table = np.array(
        [
            [np.mean([o.metrics["bytes_per_token"][kind] for o in domains if o.config.trained == trained]) for trained in TRAINED]
            for kind in KINDS
        ]
    )  # fmt: skip

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            axes = canvas.subplots()
            cells = np.arange(table.size).reshape(table.shape)
            plots.heat(axes, palette, cells, table.ravel(), numbers=".2f")
            axes.set_aspect("auto")
            axes.set_xticks(np.arange(len(TRAINED)) + 0.5, list(TRAINED.values()))
            axes.set_yticks(np.arange(len(KINDS)) + 0.5, list(KINDS.values()))
            axes.tick_params(length=0)
            axes.set_title("bytes a token, by training text", x=0)

        return plots.figure(theme, 4.2, fill)

    return Figure(
        "comp_domains",
        "Bytes a token: vocabularies of {val}`comp.domain.vocabulary` tokens trained on {val}`comp.domain.train` characters (columns) on texts of several kinds (rows), mean of {val}`comp.seeds` seeds.",
        "How many bytes fit into a token, by what the vocabulary was made from (columns) and what is read (rows). The mixed vocabulary is nearly as good as the specialist in both fields.",
        "A table of coloured cells. Plays are brightest with the vocabulary of plays, code with the vocabulary of code; the mixed column is bright in both.",
        {
            "kind": [kind for kind in KINDS.values() for _ in TRAINED],
            "trained on": [t for _ in KINDS for t in TRAINED.values()],
            "bytes per token": table.ravel().tolist(),
        },
        draw,
    )


def _bits_figure(codes: Sequence[Outcome]) -> Figure:
    sizes = [v for _, v in codes[0].config.sizes]
    tags = [tag for tag, _ in codes[0].config.sizes]
    kinds = (("fixed", "fixed length", 1), ("held_out", "fitted to\nfrequency", 0))
    flat = (("order0", "single bytes", 3), ("bz2", "bzip2", 2))
    values = {name: [[float(o.metrics["codes"][tag][name]) for o in codes] for tag in tags] for name, _, _ in kinds}
    level = {
        "order0": float(np.mean([o.metrics["orders"][0] for o in codes])),
        "bz2": float(np.mean([o.metrics["bz2"] for o in codes])),
    }

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            axes = canvas.subplots()
            axes.set(xscale="log", xlabel="tokens in the vocabulary (log scale)", ylabel="bits per byte", ylim=(0, 8.4))
            series = [
                plots.Line(label, sizes, [float(np.mean(v)) for v in values[name]], index, points=values[name])
                for name, label, index in kinds
            ]
            series += [
                plots.Line(label, sizes, [level[name]] * len(sizes), index, dashed=True, marker=False)
                for name, label, index in flat
            ]
            plots.lines(axes, theme, series, room=0.27)
            axes.set_xticks(sizes, [f"{v:,}" for v in sizes])
            axes.xaxis.minorticks_off()

        return plots.figure(theme, 4.2, fill)

    rows = [(v, name, seed, x) for name, _, _ in kinds for v, xs in zip(sizes, values[name], strict=True) for seed, x in enumerate(xs)]  # fmt: skip
    return Figure(
        "comp_bits",
        "Bits a byte of held-out plays by size of vocabulary: tokens numbered at fixed length, and tokens coded by how often they occurred in the training plays. Dashed: the entropy of single bytes, and bzip2, which uses context.",
        "How many bits each byte of text needs. Numbering tokens plainly stops paying at a moderate vocabulary; giving frequent tokens short codes keeps paying, but never reaches a compressor that looks at context.",
        "A chart of bits per byte against vocabulary size on a logarithmic scale. The curve of fixed length falls and turns up slightly; the curve of fitted codes falls steadily but stays above the dashed line of bzip2.",
        {"vocabulary": [r[0] for r in rows], "code": [r[1] for r in rows], "seed": [r[2] for r in rows], "bits per byte": [r[3] for r in rows]},
        draw,
    )  # fmt: skip
