"""Which claims a host without a GPU leaves UNKNOWN, and why: what the rehearsal can't show."""

from __future__ import annotations

from collections.abc import Mapping

_MADE_UP = "the rehearsal's checkpoint is made by hand and knows one sentence: "
UNKNOWN_ON_A_CPU: Mapping[str, str] = {
    "context-256k": "32,768 tokens are declared there to stay quick; a run with CONTEXT=262144 judges the whole window",
    "context-recall": _MADE_UP + "that nothing is cut off is judged, what is remembered is not",
    "int4-lossless": "the model that is served there is not quantised, and its logits are nobody's",
    "int4-native-format": "the model that is served there is not quantised: a CPU has no kernel for the native format",
    "int4-support": "a CPU has no kernel for the native format, so nothing is learnt of the GPUs' engine",
    "latency-50-tokens": "a CPU's seconds with a small checkpoint say nothing of the guide's model on GPUs",
    "model-quality": _MADE_UP + "it has no score",
    "parallel-tool-calls": _MADE_UP + "several calls are made and parsed, but it gives them one id",
    "recovery-within-objectives": "no drill is played by itself: each one stops the service and has to be named",
    "requests-5-20-a-second": "a CPU's rate with a small checkpoint says nothing of the guide's model on GPUs",
    "restart-recovery": "judged before the watchdog had anything to restart; a later `validate` may find a recovery",
    "start-within-probe-delay": "a start that loads two megabytes says nothing of one that loads 594 GB",
    "tool-calls-300": _MADE_UP + "a few forced turns are parsed and taken, and no thread can be lost",
    "tool-schema-accuracy": _MADE_UP + "its calls are forced by a grammar, so that only parsing is shown",
    "tool-trigger-agreement": _MADE_UP + "it does not decide whether to call a tool",
    "words-times-1-3": "its tokenizer is made by hand too, and is not Kimi's",
}
