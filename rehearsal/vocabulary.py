"""The tiny model's tokens and the one conversation it knows.

The checkpoint is not trained: its output head is written by hand as a table "after this token, that
one", so that it thinks for exactly `THINKING_TOKENS` tokens, says one sentence, can call a tool under a
grammar and stops.  Its protocol can therefore be judged exactly; its knowledge cannot.
"""

from __future__ import annotations

import itertools

BOS, EOS, IM_END = "[BOS]", "[EOS]", "<|im_end|>"
SPECIAL = (  # names as in moonshotai/Kimi-K2-Thinking's tokenizer_config.json
    BOS,
    EOS,
    IM_END,
    "<|im_user|>",
    "<|im_assistant|>",
    "<|im_system|>",
    "<|im_middle|>",
    "<think>",
    "</think>",
    "<|tool_calls_section_begin|>",
    "<|tool_calls_section_end|>",
    "<|tool_call_begin|>",
    "<|tool_call_argument_begin|>",
    "<|tool_call_end|>",
    "[PAD]",
)
THINKING_TOKENS = 96  # a run of distinct tokens: the head looks at one token only, so it can't count
THOUGHTS = tuple(f" step{n}" for n in range(1, THINKING_TOKENS + 1))
SENTENCE = (" I", " am", " a", " rehearsal", " checkpoint", " and", " know", " one", " sentence.")


def byte_letters() -> tuple[str, ...]:
    """The 256 printable stand-ins for bytes that byte-level BPE uses (as in GPT-2), in byte order."""
    keep = [*range(33, 127), *range(161, 173), *range(174, 256)]
    spare = iter(range(256, 512))
    return tuple(chr(b) if b in keep else chr(next(spare)) for b in range(256))


def tokens() -> tuple[str, ...]:
    """Every token, at its id: bytes, then words, then special tokens."""
    return (*byte_letters(), *THOUGHTS, *SENTENCE, *SPECIAL)


def follows() -> dict[str, tuple[str, ...]]:
    """After each token, what the model prefers, best first; anything else starts the thinking."""
    chain = ("<think>", *THOUGHTS, "</think>", *SENTENCE, IM_END)
    table: dict[str, tuple[str, ...]] = {a: (b,) for a, b in itertools.pairwise(chain)}
    table["<|im_middle|>"] = ("<think>",)
    # Under a grammar the best allowed token wins, so the order below closes every JSON text.
    table["</think>"] = (SENTENCE[0], "<|tool_calls_section_begin|>", "{", '"')
    table["<|tool_calls_section_begin|>"] = ("<|tool_call_begin|>",)
    table["<|tool_call_begin|>"] = ("f",)
    table[":"] = ("0", '"', "t", "{", "[")
    table["0"] = ("<|tool_call_argument_begin|>", "}", "]", ",")
    table["<|tool_call_argument_begin|>"] = ("{",)
    table["{"] = ('"', "}")
    table['"'] = ('"', "}", "]", ",", ":")
    table[","] = ('"', "0", "{")
    table["}"] = ("<|tool_call_end|>", IM_END, "}", "]", ",")
    table["<|tool_call_end|>"] = ("<|tool_calls_section_end|>",)
    table["<|tool_calls_section_end|>"] = (IM_END,)
    table[IM_END] = (EOS,)
    return table
