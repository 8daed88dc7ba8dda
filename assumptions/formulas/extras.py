"""What sparse attention and a vision tower keep beside weights and KV; no measured row is behind either."""

from __future__ import annotations

from assumptions.formulas.architecture import Architecture
from assumptions.formulas.attention import Indexer
from assumptions.formulas.shapes import GIB, Range

# vLLM 0.19 wheel.  indexer.py: the prefill buffer holds 40 x max_model_len keys of 132 bytes; flashmla_sparse.py:
# 5 x max_model_len latents of 576 bf16; both lie in one workspace that the experts use too.  sparse_attn_indexer.py
# and envs.py: logits of at most 512 MiB.  deepseek_v2.py: the chosen tokens' numbers, int32, for each batched token.
KEYS_PER_TOKEN, LATENT_BYTES_PER_TOKEN = 40, 5 * 576 * 2
LOGITS_GIB = 0.5
CHOSEN_BYTES = 2048 * 4
ENCODER_PASS_GIB = 1.5  # assumed: the largest image's own activations, where they pass the sampler's


def sparse_gib(indexer: Indexer, *, context_tokens: int, batched_tokens: int) -> Range:
    """GiB per GPU for DeepSeek Sparse Attention: surely the chosen tokens, at most all its workspaces on top."""
    chosen = batched_tokens * CHOSEN_BYTES / GIB
    keys = KEYS_PER_TOKEN * (indexer.head_dim + 4)
    workspace = context_tokens * max(keys, LATENT_BYTES_PER_TOKEN) / GIB
    return Range(chosen, chosen + workspace / 2, chosen + workspace + LOGITS_GIB)


def tower_gib(arch: Architecture) -> Range:
    """GiB per GPU for the largest image's output, which is held during the warm-up; 0 where it was measured along.

    Kimi K2.5's is part of the measured overhead (row m180).
    """
    held = arch.vision_output_bytes / GIB
    return Range(0.0, held, held + ENCODER_PASS_GIB) if held else Range(0.0, 0.0, 0.0)
