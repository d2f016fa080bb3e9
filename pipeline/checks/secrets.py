"""Secrets in a draft's file: keys, tokens, private keys and passwords that must not be published."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.checks.subject import Subject
from pipeline.finding import Finding
from pipeline.secrets import find_secrets, redact


def check(subject: Subject) -> Iterator[Finding]:
    """Secrets anywhere in the draft's file, front matter and code included."""
    text = subject.draft.text
    name = subject.project.relative(subject.draft.path)
    for secret in find_secrets(text):
        line = text.count("\n", 0, secret.start) + 1
        begin = text.rfind("\n", 0, secret.start) + 1
        end = text.find("\n", secret.end)
        around = text[begin : secret.start] + secret.shown + text[secret.end : end if end >= 0 else len(text)]
        message = f"{secret.kind} in the text: {secret.shown}"
        fix = "revoke it where it was issued, then take it out"
        column = secret.start - begin + 1
        # The line around may hold a second secret: each is cut to its first characters.
        yield Finding("secret", "error", message, name, line, column, redact(around), fix)
