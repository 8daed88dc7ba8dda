"""What published checkpoints of a model leave unquantised, for a format that is named and not declared: assumed."""

from __future__ import annotations

ATTENTION = ("self_attn",)
LATENT_BUT_OUTPUT = ("q_a_proj", "q_b_proj", "kv_a_proj_with_mqa", "kv_b_proj", "indexer")
# The exclude lists of nvidia's checkpoints on its hub, as their hf_quant_config.json says: DeepSeek-V3.1-NVFP4 and
# V3.2-NVFP4, GLM-5-NVFP4, Kimi-K2.5-NVFP4, MiniMax-M2.5-NVFP4.  Llama 4: RedHatAI's FP8-dynamic recipe.
LEFT = {
    ("nvfp4", "deepseek_v3"): LATENT_BUT_OUTPUT,
    ("nvfp4", "deepseek_v32"): LATENT_BUT_OUTPUT,
    ("nvfp4", "glm_moe_dsa"): ATTENTION,
    ("nvfp4", "kimi_k2"): ATTENTION,
    ("nvfp4", "minimax_m2"): ATTENTION,
    ("fp8", "llama4"): ATTENTION,
    ("fp8", "llama4_text"): ATTENTION,
}


def left_alone(weight_quant: str | None, model_type: str) -> tuple[str, ...]:
    """Module names, beside the head, that stay in bf16 when `weight_quant` is all that is known."""
    text = (weight_quant or "").lower()
    return next((left for (word, kind), left in LEFT.items() if word in text and kind == model_type), ())
