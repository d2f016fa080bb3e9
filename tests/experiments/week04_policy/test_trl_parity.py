"""Our losses and their gradients beside TRL's own, in float64: run where `trl` is installed (the `peers` extra).

TRL's own functions are called on log-probabilities in float64 that we hand them: unbound, with a namespace that holds
their settings in place of a trainer, and with a function that answers what the model would. What TRL then computes it
computes in float64, and ours is matched to 1e-12, values and gradients, with two exceptions. `odds_ratio_loss` (ORPO)
casts to float32 itself: its formula is matched to 1e-12 through a tensor whose `float()` stays in float64, and as it
stands to 1e-6. `nanstd` (GRPO's advantages) divides two counts in float32: scaled advantages are matched to 1e-7.
Through a whole model TRL takes log-probabilities from its chunked kernel, which accumulates in float32 whatever the
model's type: there parity is 1e-6 of the size of loss and gradient (`test_through_a_model_…`).

TRL 1.16.0 has no PPO for language models any more (it left `trl.experimental` after 1.10); its clipped objective is
GRPO's on tokens, and that is matched here.
"""

# ruff: noqa: E501 (tables of settings stay whole, one a line)
from __future__ import annotations

import math
from collections import defaultdict
from functools import partial
from types import SimpleNamespace

import numpy as np
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


EXACT = 1e-12
CPU = torch.device("cpu")


def same(ours, theirs, leaves) -> None:
    """Value and gradient with respect to the leaves, float64, to 1e-12."""
    assert ours.dtype == theirs.dtype == torch.float64
    assert float((ours - theirs).detach().abs().max()) <= EXACT * max(1.0, float(theirs.detach().abs().max()))
    close(torch.autograd.grad(ours.sum(), leaves), torch.autograd.grad(theirs.sum(), leaves), EXACT)


def trainer(**settings):
    """What a trainer's loss function asks of `self`, for one process without a model."""
    accelerator = SimpleNamespace(
        device=CPU, num_processes=1, gather=lambda x: x, gather_for_metrics=lambda x: x, reduce=lambda x, reduction: x
    )
    model = SimpleNamespace(training=False)
    metrics = defaultdict(lambda: defaultdict(list))
    return SimpleNamespace(accelerator=accelerator, model=model, _metrics=metrics, aux_loss_enabled=False, **settings)


def tokens(rows: int, seed: int, low: int = 2, high: int = 9):
    """Log-probabilities (rows, high) of tokens, zero beyond each row's length, and the mask of the lengths."""
    g = torch.Generator().manual_seed(seed)
    n = torch.randint(low, high + 1, (rows,), generator=g)
    mask = torch.arange(high) < n[:, None]
    return -2 * torch.rand(rows, high, dtype=torch.float64, generator=g) * mask, mask


def answering(*log_probs):
    """A model that answers, call after call, with these token log-probabilities (B, L)."""
    answers = iter(log_probs)

    def forward(**_):
        p = next(answers)
        return SimpleNamespace(log_probs=p, entropy=torch.zeros_like(p), mean_logits=p.detach(), is_top1=p.detach() > -1)  # fmt: skip

    return forward


@pytest.mark.parametrize("name", ["sigmoid", "ipo", "hinge"])
def test_dpo_in_float64(name):
    from trl import DPOTrainer

    p, mask = tokens(32, 0)
    reference = tokens(32, 1)[0].sum(-1)
    p.requires_grad_()
    me = trainer(
        ld_alpha=None, precompute_ref_logps=True, f_divergence_type="reverse_kl", loss_types=[name], loss_weights=[1.0],
        beta=BETA, use_weighting=False, _total_train_tokens=0, _tp_size=1,
    )  # fmt: skip
    whole = torch.cat([torch.zeros(32, 1, dtype=torch.bool), mask], 1)  # one token of prompt in front
    batch = {
        "input_ids": whole.long(), "attention_mask": torch.ones_like(whole), "completion_mask": whole.long(),
        "ref_chosen_logps": reference[:16], "ref_rejected_logps": reference[16:],
    }  # fmt: skip
    theirs = DPOTrainer._compute_loss(me, answering(p), batch, return_outputs=False)
    total, n = p.sum(-1), mask.sum(-1)
    pairs = Pairs(total[:16], total[16:], reference[:16], reference[16:], n[:16], n[16:])
    ours = {
        "sigmoid": lambda: preferences.dpo(pairs, BETA),
        "ipo": lambda: preferences.ipo(pairs, BETA, averaged=True),
        "hinge": lambda: preferences.hinge(pairs, BETA),
    }[name]().mean()
    same(ours, theirs, [p])


@pytest.mark.parametrize("shift", [-3.0, 3.0])  # on either side of where the reference point is held at zero
def test_kto_in_float64(shift):
    from trl import KTOTrainer

    p, mask = tokens(12, 2)
    mismatched, other = tokens(12, 3)
    reference, ref_mismatched = tokens(12, 4)[0].sum(-1), mismatched.sum(-1) - shift
    p.requires_grad_()
    good = torch.arange(12) % 3 > 0
    me = trainer(
        loss_type="kto", beta=BETA, desirable_weight=1.0, undesirable_weight=1.5, calculate_KL=True,
        precompute_ref_logps=True, _total_train_tokens=0, _tp_size=1,
    )  # fmt: skip
    me._compute_kl_logps = partial(KTOTrainer._compute_kl_logps, me)

    def ids(mask):
        return torch.cat([torch.zeros(12, 1, dtype=torch.bool), mask], 1).long()

    batch = {
        "input_ids": ids(mask), "attention_mask": torch.ones_like(ids(mask)), "completion_mask": ids(mask),
        "KL_input_ids": ids(other), "KL_attention_mask": torch.ones_like(ids(other)), "KL_completion_mask": ids(other),
        "label": good, "ref_logps": reference, "ref_KL_logps": ref_mismatched,
    }  # fmt: skip
    theirs = KTOTrainer._compute_loss(me, answering(mismatched, p), batch, return_outputs=False)
    z = preferences.kto_reference(mismatched.sum(-1) - ref_mismatched)
    assert (float(z) > 0) == (shift > 0)
    same(preferences.kto(p.sum(-1) - reference, good, z, BETA, (1.0, 1.5)).mean(), theirs, [p])


@pytest.mark.parametrize("beta", [0.0, 0.3])
@pytest.mark.parametrize(("kind", "over"), [("grpo", "sequence"), ("bnpo", "token"), ("dapo", "token"), ("dr_grpo", "place")])  # fmt: skip
def test_grpo_in_float64(kind, over, beta):
    from trl import GRPOTrainer

    p, mask = tokens(24, 5)
    p.requires_grad_()
    g = torch.Generator().manual_seed(6)
    old, ref = (p.detach() + 0.3 * torch.randn(p.shape, dtype=torch.float64, generator=g) for _ in range(2))
    A = torch.from_numpy(grpo.group_advantages(np.random.default_rng(7).standard_normal((4, 6))).reshape(24))
    me = trainer(
        loss_type=kind, beta=beta, epsilon_low=0.2, epsilon_high=0.2, max_completion_length=9, top_entropy_quantile=1.0,
        off_policy_mask_threshold=None, importance_sampling_level="token", use_vllm=False, _entropy_bonus_enabled=False,
        current_gradient_accumulation_steps=1, args=SimpleNamespace(delta=None, use_bias_correction_kl=False, steps_per_generation=1),
        _get_per_token_logps_and_entropies=lambda *_, **__: (p, torch.zeros_like(p), None),
    )  # fmt: skip
    ids = torch.zeros(24, 1, dtype=torch.long)
    batch = {
        "prompt_ids": ids, "prompt_mask": ids + 1, "completion_ids": mask.long(), "completion_mask": mask.long(),
        "advantages": A, "old_per_token_logps": old, "ref_per_token_logps": ref, "num_items_in_batch": mask.sum(),
    }  # fmt: skip
    theirs = GRPOTrainer._compute_loss(me, None, batch)
    clipped = ((p - old).detach().exp() - 1).abs() > 0.2
    assert 0.2 < float((clipped & mask).sum() / mask.sum()) < 0.8  # both branches of the minimum are at work
    same(grpo.grpo_loss(p, old, ref, A, mask, 0.2, beta, over, longest=9), theirs, [p])


@pytest.mark.parametrize(("margin", "centring"), [(0.0, 0.0), (0.4, 0.0), (0.4, 0.01)])
def test_reward_model_in_float64(margin, centring):
    from trl import RewardTrainer

    scores = torch.randn(32, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(8)).requires_grad_()
    me = trainer(args=SimpleNamespace(center_rewards_coefficient=centring or None), _total_train_tokens=0)
    batch = {"margin": torch.full((16,), margin, dtype=torch.float64)} if margin else {}
    theirs = RewardTrainer.compute_loss(me, lambda **_: SimpleNamespace(logits=scores), batch)
    chosen, rejected = scores[:, 0].chunk(2)
    same(preferences.reward_model(chosen, rejected, margin, centring).mean(), theirs, [scores])


class StaysDouble(torch.Tensor):
    """A tensor that casts to float32 leave alone."""

    def float(self):
        return self


def test_orpo_in_float64():
    from trl.experimental.orpo import ORPOTrainer

    a, b = leaves(1)
    me = SimpleNamespace(beta=0.25, accelerator=SimpleNamespace(device=CPU))
    theirs = -ORPOTrainer.odds_ratio_loss(me, *(x.as_subclass(StaysDouble) for x in (a, b)))[0]
    ours = preferences.orpo(as_pairs(a, b), 0.25, nll=torch.zeros_like(a))
    same(ours, theirs.as_subclass(torch.Tensor), [a, b])


@pytest.mark.parametrize(("scale", "tolerance"), [("group", 1e-7), ("none", EXACT)])
def test_group_advantages_are_trls(setting, scale, tolerance):
    """From TRL's own scoring of what its trainer generated; the scores are handed to it in float64."""
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    arguments = GRPOConfig(
        output_dir=str(setting.folder), per_device_train_batch_size=12, num_generations=4, max_completion_length=2,
        scale_rewards=scale, report_to=[], use_cpu=True, bf16=False, gradient_checkpointing=False, beta=0.0,
    )  # fmt: skip
    prompts = [{"prompt": "ab"}, {"prompt": "c d"}, {"prompt": "e"}]
    made = GRPOTrainer(
        model=setting.model(4).float(), reward_funcs=lambda completions, **_: [0.0] * len(completions), args=arguments,
        train_dataset=Dataset.from_list(prompts), processing_class=setting.tokenizer,
    )  # fmt: skip
    scores = np.random.default_rng(9).standard_normal((3, 4))
    made._calculate_rewards = lambda *_: torch.from_numpy(scores.reshape(12, 1))
    theirs = made._generate_and_score_completions([p for p in prompts for _ in range(4)])["advantages"]
    assert theirs.dtype == torch.float64
    ours = grpo.group_advantages(scores, scale == "group").reshape(12)
    np.testing.assert_allclose(ours, theirs.numpy(), rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", ["sigmoid", "ipo", "hinge"])
def test_through_a_model_dpo(setting, name):
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
def test_simpo_and_cpo_in_float64(name):
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
    same(ours, theirs, [a, b])


def test_orpo_as_it_stands():
    from trl.experimental.orpo import ORPOTrainer

    me = SimpleNamespace(beta=0.25, accelerator=SimpleNamespace(device=torch.device("cpu")))
    a, b = leaves(1)
    theirs = -ORPOTrainer.odds_ratio_loss(me, a, b)[0].double()
    ours = preferences.orpo(as_pairs(a, b), 0.25, nll=torch.zeros_like(a))
    assert float((ours - theirs).detach().abs().max()) <= 1e-6
    close(torch.autograd.grad(ours.sum(), [a, b]), torch.autograd.grad(theirs.sum(), [a, b]), 1e-6)


def test_through_a_model_kto(setting):
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
