"""How long vLLM's starts were seen to take beside reading the weights: the longest one counts for a budget."""

from __future__ import annotations

from tasks.engines.base import WarmUp

# 944 s for the weights and 2,357 s to healthy; 330 s and 420 s, so 90 s, is the shortest (8x H100, local NVMe, 0.15.0).
GPU_WARM_UP = WarmUp(
    1413, "the longest of two public starts of Kimi: 2,357 s to healthy on 8x H200, 944 s of them weights"
)
# Eager 32-44 s warm, 99 s at the first start without bytecode, 112 s with a cold torch.compile cache; twice that where
# two servers share the cores.
CPU_WARM_UP = WarmUp(120, "measured here on two cores: 99 s for a first start, 112 s with torch.compile")
