"""What one host needs beside its GPUs: RAM, /dev/shm, and time to read the checkpoint.

/dev/shm, multi-rank only: one ring buffer of 10 x 16 MiB for the broadcast and 10 x 24 MiB for each worker's
answers (vllm#50606 and vllm#48879, which fails the start when /dev/shm is smaller).  NCCL's own use of /dev/shm
where GPUs can't reach each other directly is not counted: no figure was found.
"""

from __future__ import annotations

from assumptions.formulas.architecture import Architecture
from assumptions.formulas.question import Question
from assumptions.formulas.shapes import GIB, Range, UnsupportedConfig
from assumptions.formulas.weights import checkpoint_bytes

BROADCAST_MIB, ANSWERS_MIB = 160, 240
SERVER_GIB = 2.6  # measured here: a whole vLLM 0.32 CPU server peaked at 3.6 GiB, 1 GiB of it KV cache
PROCESS_GIB = Range(1.5, 3.0, 6.0)  # assumed: a worker's Python, CUDA context and staging buffers; no log was found
# From weights to ready: 330 -> 420 s (Kimi K2.5, 8x H100, vLLM 0.15.0), 944 -> 2,357 s (Kimi, 8x H200 at Modal).
AFTER_WEIGHTS_S = Range(0.0, 90.0, 1413.0)
FASTEST_LOGGED = 3.73  # GiB/s: 554.3 GiB of Kimi K2.6 in 148.5 s, the quickest public log; a loader is no raw read


def pinned_gib(ask: Question) -> float:
    """Offloaded weights in page-locked RAM of the fullest host: `--cpu-offload-gb` is per GPU (UVA offloader)."""
    return ask.cpu_offload_gib * ask.ranks_per_host


def shm_gib(ask: Question) -> float:
    """Peak of /dev/shm on the fullest host, in GiB; nothing for a single rank, which has no queue."""
    return 0.0 if ask.ranks == 1 else (BROADCAST_MIB + ANSWERS_MIB * ask.ranks_per_host) / 1024


def host_ram_gib(ask: Question) -> Range:
    """Peak RAM of the fullest host that can't be taken back: pinned weights, /dev/shm, server and workers."""
    exact, ranks = pinned_gib(ask) + shm_gib(ask) + SERVER_GIB, ask.ranks_per_host
    return Range(*(exact + ranks * each for each in (PROCESS_GIB.low, PROCESS_GIB.mid, PROCESS_GIB.high)))


def checkpoint_gib(arch: Architecture, ask: Question) -> float | None:
    """GiB of the checkpoint: as given, as the headers say, or by the config's arithmetic; None where none can say."""
    if ask.checkpoint_gib is not None:
        return ask.checkpoint_gib
    try:
        size = checkpoint_bytes(arch, ask.weight_quant) if ask.stored is None else ask.stored.total_bytes
    except UnsupportedConfig:
        return None
    return size / GIB


def load_seconds(arch: Architecture, ask: Question) -> Range | None:
    """Start to ready when every host reads the whole checkpoint; None without a disk speed or a known size.

    Low: the read alone.  Mid and high: no faster than any loader that logged its speed, then compilation and graphs.
    """
    if ask.disk_gib_per_s is None:
        return None
    size = checkpoint_gib(arch, ask)
    if size is None:
        return None
    quick, usual = size / ask.disk_gib_per_s, size / min(ask.disk_gib_per_s, FASTEST_LOGGED)
    return Range(quick, usual, usual) + AFTER_WEIGHTS_S
