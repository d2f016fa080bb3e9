"""Secrets are found wherever they stand, are never repeated, and ordinary text is left alone."""

from __future__ import annotations

import random
import string
from pathlib import Path

import pytest

from pipeline.checks.secrets import check
from pipeline.checks.subject import make_subject
from pipeline.drafts import Draft, load_draft
from pipeline.project import Project
from pipeline.secrets import find_secrets, redact
from tests.toy_project import the_post

ROOT = Path(__file__).resolve().parents[2]


def made_up(prefix: str, length: int, letters: str = string.ascii_letters + string.digits) -> str:
    """A key in an issuer's form, put together here so that no scanner takes this file for a leak."""
    return prefix + "".join(random.Random(7).choices(letters, k=length))


KEYS = {
    "an Anthropic key": made_up("sk-" + "ant-api03-", 80),
    "an OpenAI key": made_up("sk-" + "proj-", 48),
    "a GitHub token": made_up("gh" + "p_", 36),
    "a GitLab token": made_up("gl" + "pat-", 20),
    "an AWS access key": made_up("AK" + "IA", 16, string.ascii_uppercase + string.digits),
    "a Google key": made_up("AI" + "za", 35),
    "a Hugging Face token": made_up("h" + "f_", 34),
    "a Slack token": made_up("xo" + "xb-", 24, string.digits),
    "a Stripe key": made_up("sk_" + "live_", 24),
    "a PyPI token": made_up("py" + "pi-AgEI", 60),
    "an npm token": made_up("np" + "m_", 36),
    "a Weights & Biases key": made_up("wand" + "b_v1_", 40),
    "a signed web token": ".".join((made_up("ey" + "J", 20), made_up("ey" + "J", 30), made_up("", 30))),
    "a private key": "-----BEGIN OPENSSH " + "PRIVATE KEY-----",
}


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("around", ["{}", "The key is {}, keep it.", "```\nexport KEY='{}'\n```", "`{}`", "\n\n> {}\n"])
def test_keys_are_found_by_their_issuers_form(kind: str, around: str) -> None:
    text = around.format(KEYS[kind])
    found = list(find_secrets(text))
    assert [secret.kind for secret in found] == [kind]
    assert text[found[0].start : found[0].end] == KEYS[kind]
    assert KEYS[kind] not in redact(text) or kind == "a private key"


@pytest.mark.parametrize(
    "text",
    [
        "password: hunter2x9Q",
        "My password is Tr0ub4dor&3.",
        "API_KEY = 'f3b9c1d07e5a48'",
        "WANDB_API_KEY=0a1b2c3d4e5f60718293a4b5c6d7e8f901234567",
        '"secret_key": "9fK2mm31XzQ0"',
        "Authorization: Bearer 8f3a9c0b1d2e4f5a",
        "postgres://ada:s3cr3tpw@db.example.org/notes",
        "https://user:pa55word@example.org",
    ],
)
def test_assigned_secrets_are_found(text: str) -> None:
    assert len(list(find_secrets(text))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "The secret is to ask early.",
        "A token is a piece of a word; the next token = argmax.",
        "password: <yours>",
        "Set API_KEY=$ANTHROPIC_API_KEY first.",
        "api_key = os.environ['KEY1']",
        "The run was made at commit 60c8cd2c9691d0190123456789abcdef01234567.",
        "password=changeme1",
        "The task is sk-learn's, and sk-ant is short.",
        "https://example.org:8080/a@b",
        "The secret of value iteration is contraction.",
        "[link](https://example.org/user:1)",
        "secret: the discount",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert list(find_secrets(text)) == []


def test_the_project_holds_no_secret() -> None:
    files = [*(ROOT / "notes").rglob("*.md"), *(ROOT / "drafts").glob("*/*.md"), *(ROOT / "pipeline").rglob("*.py")]
    assert files
    assert [p.name for p in files if list(find_secrets(p.read_text(encoding="utf-8")))] == []


def test_a_finding_never_repeats_the_secret(drafted: Project) -> None:
    draft = load_draft(drafted, "coin-post", "scientist")
    assert draft is not None
    one, other = KEYS["an Anthropic key"], KEYS["a GitHub token"]
    text = draft.text + f"\nUse {one} and {other}.\n"
    broken = Draft(draft.slug, draft.edition, draft.path, text, draft.front, draft.body, draft.body_line)
    found = list(check(make_subject(drafted, the_post(drafted), broken, None)))
    line = text[: text.index(one)].count("\n") + 1
    assert [(f.check, f.severity, f.line, f.column) for f in found] == [
        ("secret", "error", line, 5),
        ("secret", "error", line, 10 + len(one)),
    ]
    for finding in found:
        assert one not in str(finding) + finding.sentence and other not in str(finding) + finding.sentence
        assert finding.file == "drafts/coin-post/scientist.md" and finding.fix
