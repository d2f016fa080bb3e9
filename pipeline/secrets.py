"""Secrets in text: keys, tokens, private keys and passwords that must neither be published nor sent to a model.

`find_secrets` works on any text: drafts are looked through by a check, prompts before they are sent. The patterns are
few and each says what it is; a secret is never repeated in a message, only its first characters.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Secret:
    """A secret's kind, where it stands (offsets into the text), and enough of it to recognise it."""

    kind: str
    start: int
    end: int
    shown: str


# Issuers give their keys a form of their own; the lengths keep words that merely begin alike out.
ISSUED: tuple[tuple[str, str], ...] = (
    (r"\bsk-ant-[\w-]{20,}", "an Anthropic key"),
    (r"\bsk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{32,}", "an OpenAI key"),
    (r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})", "a GitHub token"),
    (r"\bglpat-[\w-]{20,}", "a GitLab token"),
    (r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", "an AWS access key"),
    (r"\bAIza[\w-]{35}", "a Google key"),
    (r"\bhf_[A-Za-z0-9]{30,}", "a Hugging Face token"),
    (r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}", "a Slack token"),
    (r"\b(?:sk|rk)_live_[A-Za-z0-9]{16,}", "a Stripe key"),
    (r"\bpypi-AgEI[\w-]{20,}", "a PyPI token"),
    (r"\bnpm_[A-Za-z0-9]{36}", "an npm token"),
    (r"\bwandb_v1_[\w-]{20,}", "a Weights & Biases key"),
    (r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}", "a signed web token"),
    (r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----", "a private key"),
)
# A password in an address, between the user and the host.
ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@]+:(?P<value>[^\s/@]{3,})@[\w.-]+", re.IGNORECASE)
# A name that promises a secret, and what is written behind it. "token" alone is a word of language models.
ASSIGNED = re.compile(
    r"(?<![A-Za-z])(?:[A-Z0-9_]*_)?(?P<name>pass(?:word|wd|phrase)|secret(?:[_-]?key)?|api[_ -]?key"
    r"|access[_ -]?(?:key|token)|auth[_ -]?token|private[_ -]?key|credentials?|bearer)[\"']?"
    r"(?:\s*(?::=|[:=]|=>)\s*|\s+is\s+|\s+(?=\S*\d))[\"'`]?"
    r"(?P<value>[^\s\"'`,;<>{}()\[\]]{6,})",
    re.IGNORECASE,
)
# What stands for a secret without being one.
STANDS_FOR = re.compile(
    r"^(?:x{3,}|\*{3,}|\.{3,}|…|\$|%|your|my|the|example|changeme|none|null|true|false|os\.|env)", re.I
)
ENOUGH = 2.5  # bits a character: words and repeated letters lie below, random keys above


def find_secrets(text: str) -> Iterator[Secret]:
    """Every secret in a text, in order, each place once."""
    found: list[Secret] = []
    for pattern, kind in ISSUED:
        found += [_secret(kind, m.start(), m.end(), m[0]) for m in re.finditer(pattern, text)]
    found += [_secret("a password in an address", m.start("value"), m.end("value"), m["value"])
              for m in ADDRESS.finditer(text) if not STANDS_FOR.match(m["value"])]  # fmt: skip
    for match in ASSIGNED.finditer(text):
        value = match["value"].rstrip(".:")
        if _looks_random(value) and not STANDS_FOR.match(value):
            found.append(_secret(f"a {match['name'].lower()}", match.start("value"), match.end("value"), value))
    end = -1
    for secret in sorted(found, key=lambda s: (s.start, -s.end)):
        if secret.start >= end:
            yield secret
            end = secret.end


def _secret(kind: str, start: int, end: int, text: str) -> Secret:
    return Secret(kind, start, end, text if text.startswith("-----") else f"{text[:4]}…")


def _looks_random(value: str) -> bool:
    """Letters and digits mixed, as in a key: no word, number, path or code."""
    if not (re.search(r"[A-Za-z]", value) and re.search(r"\d", value)) or re.search(r"[/\\]|\w\.[a-z_]+$", value):
        return False
    counts = Counter(value)
    bits = -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())
    return bits >= ENOUGH


def redact(text: str) -> str:
    """The text with every secret cut to its first characters."""
    for secret in reversed(list(find_secrets(text))):
        text = text[: secret.start] + secret.shown + text[secret.end :]
    return text
