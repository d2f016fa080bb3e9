"""The small model: causal in every encoding, reproducible, scored on the same targets, and able to learn."""

from __future__ import annotations

import math

import pytest
import torch

from experiments.week03_attention.language_model import POSITIONS, Config, LanguageModel, bits, encode, train

TINY = {"vocabulary": 5, "width": 16, "heads": 2, "layers": 2, "length": 16, "batch": 8, "rows": 64, "reach": 4}


@pytest.mark.parametrize("position", POSITIONS)
def test_no_character_sees_a_later_one(position: str) -> None:
    torch.manual_seed(0)
    model = LanguageModel(Config(position=position, **TINY))
    a = torch.randint(5, (1, 12))
    b = a.clone()
    b[0, 7:] = (b[0, 7:] + 1) % 5
    assert torch.allclose(model(a)[:, :7], model(b)[:, :7], atol=1e-5)
    assert not torch.allclose(model(a)[:, 7:], model(b)[:, 7:], atol=1e-5)


@pytest.mark.parametrize("position", [p for p in POSITIONS if p != "none"])
def test_encodings_tell_the_order_apart(position: str) -> None:
    """Swapping two earlier characters changes the last prediction."""
    torch.manual_seed(0)
    config = Config(position=position, **{**TINY, "layers": 1})
    model = LanguageModel(config)
    if position == "shaw":
        torch.nn.init.normal_(model.layers()[0].table)
    torch.nn.init.normal_(model.layers()[0].qkv.weight)  # scores must not vanish for their order to show
    a = torch.tensor([[1, 2, 3, 4, 0]])
    b = torch.tensor([[2, 1, 3, 4, 0]])
    assert not torch.allclose(model(a)[:, -1], model(b)[:, -1], atol=1e-6)


def test_without_positions_one_layer_sees_a_bag() -> None:
    torch.manual_seed(0)
    model = LanguageModel(Config(position="none", **{**TINY, "layers": 1}))
    a, b = torch.tensor([[1, 2, 3, 4, 0]]), torch.tensor([[2, 1, 3, 4, 0]])
    assert torch.allclose(model(a)[:, -1], model(b)[:, -1], atol=1e-6)


def test_training_learns_a_cycle_and_repeats_itself() -> None:
    """A text of period 5 needs one character of context: the loss must fall from log2 5 to nearly nothing."""
    data = torch.arange(5).repeat(200)
    config = Config(position="rope", steps=150, warmup=10, **TINY)
    seen: list[float] = []
    first = train(config, data, 3, lambda step, loss: seen.append(loss))
    again = train(config, data, 3)
    assert seen[0] == pytest.approx(math.log2(5), abs=0.2)
    assert seen[-1] < 0.05
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))


def test_encodings_share_first_weights_and_windows() -> None:
    """Models of one seed differ in nothing but their encoding: same embedding before any step."""
    data = torch.arange(5).repeat(50)
    a, b = (train(Config(position=p, steps=0, **TINY), data, 1) for p in ("rope", "alibi"))
    assert torch.equal(a.embed.weight, b.embed.weight)
    assert torch.equal(a.head.weight, b.head.weight)


def test_bits_score_the_same_targets_at_every_length() -> None:
    torch.manual_seed(0)
    model = LanguageModel(Config(position="alibi", **TINY))
    data = torch.randint(5, (300,))
    ends = torch.tensor([100, 200, 299])
    short, long = bits(model, data, ends, 8, 4), bits(model, data, ends, 64, 4)
    assert short.shape == long.shape == (3, 4)
    window = data[100 - 8 : 100 + 1]
    logits = model(window[None, :-1])[0, -4:]
    by_hand = -logits.log_softmax(-1)[torch.arange(4), window[-4:]] / math.log(2)
    assert torch.allclose(short[0], by_hand, atol=1e-5)
    with pytest.raises(ValueError, match="does not fit"):
        bits(model, data, torch.tensor([5]), 8, 4)


def test_a_switched_off_head_adds_nothing() -> None:
    torch.manual_seed(0)
    config = Config(position="rope", **TINY)
    model = LanguageModel(config)
    tokens = torch.randint(5, (2, 10))
    off = model(tokens, torch.zeros(2, 2))
    for block in model.layers():
        block.out.weight.data.zero_()
    assert torch.allclose(off, model(tokens), atol=1e-6)


def test_encode_is_the_sorted_alphabet() -> None:
    data, letters = encode("banana é")
    assert letters == [" ", "a", "b", "n", "é"]
    assert "".join(letters[i] for i in data) == "banana é"
