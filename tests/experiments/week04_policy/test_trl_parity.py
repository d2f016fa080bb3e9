"""Our preference losses and their gradients beside TRL's own, in float64: run where `trl` is installed.

`pip install trl==1.16.0 transformers==5.23.0 accelerate datasets`. TRL's trainers for
DPO and KTO and its ORPO work in float32 inside, whatever the model's type, so parity there is relative to the size of
loss and gradient; CPO's function keeps float64 and is matched to 1e-12.
"""

# ruff: noqa: E501 (tables of settings stay whole, one a line)
from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F

pytest.importorskip("trl")
pytest.importorskip("transformers")

from experiments.week04_policy import grpo, preferences
from experiments.week04_policy.preferences import Pairs

BETA = 0.3


@pytest.fixture(scope="module")
def setting(tmp_path_factory):
    """A random two-layer Llama in float64, a tokenizer of letters, and a few preferences."""
    import os

    os.environ["HF_HUB_OFFLINE"] = "1"
    from datasets import Dataset
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    letters = [*"abcdefghijklmnopqrstuvwxyz .", "<pad>", "<eos>"]
    inner = Tokenizer(models.WordLevel({c: i for i, c in enumerate(letters)}, unk_token="a"))
    inner.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<pad>", eos_token="<eos>", unk_token="a")

    def model(seed: int):
        torch.manual_seed(seed)
        config = LlamaConfig(
            vocab_size=len(letters), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, pad_token_id=28, eos_token_id=29, bos_token_id=None, initializer_range=0.5,
        )  # fmt: skip
        return LlamaForCausalLM(config).double()

    rows = [("ab c", "hello.", "no"), ("q", "yes", "never ever"), ("why is", " because", " so"), ("x", "abc", "abd")]
    data = Dataset.from_list([{"prompt": p, "chosen": c, "rejected": r} for p, c, r in rows])
    return SimpleNamespace(tokenizer=tokenizer, model=model, data=data, folder=tmp_path_factory.mktemp("trl"))


def sums(model, input_ids, attention_mask, completion_mask):
    """Sum of log-probabilities and count of the completion's tokens, (B,) each."""
    logits = model(input_ids=input_ids, attention_mask=attention_mask).logits[:, :-1]
    each = F.log_softmax(logits, -1).gather(-1, input_ids[:, 1:, None])[..., 0]
    mask = completion_mask[:, 1:]
    return (each * mask).sum(-1), mask.sum(-1)


def gradients(loss, model):
    return torch.autograd.grad(loss, [p for p in model.parameters() if p.requires_grad], allow_unused=True)


def close(ours, theirs, tolerance: float) -> None:
    """The whole gradient, within this share of its length."""
    pairs = [(a, b) for a, b in zip(ours, theirs, strict=True) if a is not None or b is not None]
    off = sum(float((a - b).square().sum()) for a, b in pairs)
    assert math.sqrt(off) <= tolerance * math.sqrt(sum(float(b.square().sum()) for _, b in pairs))


@pytest.mark.parametrize("name", ["sigmoid", "ipo", "hinge"])
def test_dpo_trainer(setting, name):
    from trl import DPOConfig, DPOTrainer

    policy, reference = setting.model(0), setting.model(1)
    arguments = DPOConfig(
        output_dir=str(setting.folder), beta=BETA, loss_type=[name], per_device_train_batch_size=4, report_to=[], use_cpu=True, bf16=False,
        gradient_checkpointing=False, disable_dropout=True,
    )  # fmt: skip
    trainer = DPOTrainer(model=policy, ref_model=reference, args=arguments, train_dataset=setting.data, processing_class=setting.tokenizer)  # fmt: skip
    batch = next(iter(trainer.get_train_dataloader()))
    policy.eval()
    theirs = trainer.compute_loss(policy, batch)
    parts = [batch[k] for k in ("input_ids", "attention_mask", "completion_mask")]
    B = len(parts[0]) // 2
    total, n = sums(policy, *parts)
    with torch.no_grad():
        ref, _ = sums(reference.double(), *parts)
    pairs = Pairs(total[:B], total[B:], ref[:B], ref[B:], n[:B], n[B:])
    ours = {
        "sigmoid": lambda: preferences.dpo(pairs, BETA),
        "ipo": lambda: preferences.ipo(pairs, BETA, averaged=True),
        "hinge": lambda: preferences.hinge(pairs, BETA),
    }[name]().mean()
    assert float((ours - theirs).detach().abs()) <= 1e-6 * max(1.0, abs(float(theirs.detach())))
    close(gradients(ours, policy), gradients(theirs, policy), 1e-6)


def leaves(seed: int = 0, B: int = 64):
    generator = torch.Generator().manual_seed(seed)
    p = -0.05 - 3 * torch.rand(2, B, dtype=torch.float64, generator=generator)
    return [t.clone().requires_grad_() for t in p]


def as_pairs(chosen, rejected):
    one = torch.ones_like(chosen)
    return Pairs(chosen, rejected, 0 * one, 0 * one, one, one)


@pytest.mark.parametrize("name", ["simpo", "sigmoid", "hinge", "ipo"])
def test_cpo_trainer(name):
    from trl.experimental.cpo import CPOTrainer

    me = SimpleNamespace(
        alpha=0.0, beta=2.0, loss_type=name, simpo_gamma=0.5, label_smoothing=0.0,
        accelerator=SimpleNamespace(device=torch.device("cpu")),
    )  # fmt: skip
    a, b = leaves()
    theirs = CPOTrainer.cpo_loss(me, a, b)[0]
    pairs = as_pairs(a, b)
    ours = {
        "simpo": lambda: preferences.simpo(pairs, 2.0, 0.5),
        "sigmoid": lambda: preferences.dpo(pairs, 2.0),
        "hinge": lambda: preferences.hinge(pairs, 2.0),
        "ipo": lambda: preferences.ipo(pairs, 2.0),
    }[name]()
    assert float((ours - theirs).detach().abs().max()) <= 1e-12
    close(torch.autograd.grad(ours.sum(), [a, b]), torch.autograd.grad(theirs.sum(), [a, b]), 1e-12)


def test_orpo_trainer():
    from trl.experimental.orpo import ORPOTrainer

    me = SimpleNamespace(beta=0.25, accelerator=SimpleNamespace(device=torch.device("cpu")))
    a, b = leaves(1)
    theirs = -ORPOTrainer.odds_ratio_loss(me, a, b)[0].double()
    ours = preferences.orpo(as_pairs(a, b), 0.25, nll=torch.zeros_like(a))
    assert float((ours - theirs).detach().abs().max()) <= 1e-6
    close(torch.autograd.grad(ours.sum(), [a, b]), torch.autograd.grad(theirs.sum(), [a, b]), 1e-6)


def test_kto_trainer(setting):
    from trl import KTOConfig, KTOTrainer

    policy, reference = setting.model(2), setting.model(3)
    rows = [{"prompt": p, "completion": c, "label": label} for p, c, label in (("ab c", "hello.", True), ("q", "never ever", False), ("why is", " because", True), ("x", "abd", False))]  # fmt: skip
    from datasets import Dataset

    arguments = KTOConfig(
        output_dir=str(setting.folder), beta=BETA, per_device_train_batch_size=4, report_to=[], use_cpu=True, bf16=False,
        gradient_checkpointing=False, desirable_weight=1.0, undesirable_weight=1.5, disable_dropout=True,
    )  # fmt: skip
    trainer = KTOTrainer(model=policy, ref_model=reference, args=arguments, train_dataset=Dataset.from_list(rows), processing_class=setting.tokenizer)  # fmt: skip
    batch = next(iter(trainer.get_train_dataloader()))
    policy.eval()
    theirs = trainer.compute_loss(policy, batch)

    def ratio(prefix: str):
        parts = [batch[f"{prefix}{k}"] for k in ("input_ids", "attention_mask", "completion_mask")]
        with torch.no_grad():
            ref, _ = sums(reference.double(), *parts)
        return sums(policy, *parts)[0] - ref

    labels = torch.as_tensor(batch["label"], dtype=torch.bool)
    z = preferences.kto_reference(ratio("KL_"))
    ours = preferences.kto(ratio(""), labels, z, BETA, (1.0, 1.5)).mean()
    assert float((ours - theirs).detach().abs()) <= 1e-6 * max(1.0, abs(float(theirs.detach())))
    close(gradients(ours, policy), gradients(theirs, policy), 1e-6)


def test_grpo_advantages_are_trls():
    """TRL's own line: (rewards - mean of group) / (std of group + 1e-4), with torch's std."""
    rewards = torch.randn(6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    theirs = (rewards - rewards.mean(1, keepdim=True)) / (rewards.std(1, keepdim=True) + 1e-4)
    assert abs(grpo.group_advantages(rewards.numpy()) - theirs.numpy()).max() < 1e-12
    assert math.isclose(float(theirs.mean()), 0, abs_tol=1e-12)
