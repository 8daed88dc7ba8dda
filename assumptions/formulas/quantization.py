"""How many bytes each weight takes: what quantization_config or an override says, module by module."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from assumptions.formulas.matching import Matcher, everything, experts, matcher, nothing
from assumptions.formulas.published import left_alone
from assumptions.formulas.schemes import BLOCK, FP8_BLOCK, FP8_CHANNEL, MXFP4, NVFP4, Scheme, gptq, packed
from assumptions.formulas.shapes import UnsupportedConfig, block, flag, name_of, shown, whole, whole_number, words
from assumptions.formulas.tensors import Tensor

PROBE = Tensor("probe", "probe", 1024, 1024, linear=True)


class Quantization(NamedTuple):
    """Which scheme each linear module is stored in; `rules` are tried in order, after `ignored`."""

    name: str
    rules: tuple[tuple[Matcher, Scheme], ...] = ()
    ignored: Matcher = nothing

    def bytes_of(self, tensor: Tensor) -> int:
        """Bytes of `tensor` as stored."""
        if tensor.linear and self.rules and not self.ignored(tensor.name):
            for matches, scheme in self.rules:
                if matches(tensor.name):
                    return scheme.bytes_of(tensor)
        return tensor.params * tensor.item_bytes


def quantization(config: Mapping[str, Any] | None, override: str | None = None, model_type: str = "") -> Quantization:
    """The scheme that `config` (a quantization_config) declares, or the one `override` names.

    Overrides: "bf16", "fp8-dynamic" (per channel), "fp8-block", "w4a16-g32" or "int4-g128" (compressed-tensors,
    "(experts only)" may follow), "gptq-g128", "awq-g128", "mxfp4", "nvfp4"; the head stays as it is.  An override
    that names what the checkpoint already declares leaves the declaration, with its ignore list, in force; any other
    leaves out what published checkpoints of that `model_type` leave out (`left_alone`: assumed).
    """
    declared = _declared(config) if config else Quantization("bf16")
    if override is None or (isinstance(override, str) and not override.strip()):
        return declared
    if not isinstance(override, str):
        raise UnsupportedConfig("weight_quant is not a text")
    text = override.strip().lower()
    if text == "compressed-tensors" and config:
        return declared
    chosen = _override(text, left_alone(text, model_type))
    return declared if _names_the_same(text, chosen, declared) else chosen


def _names_the_same(text: str, chosen: Quantization, declared: Quantization) -> bool:
    if not chosen.rules or not declared.rules:
        return False
    wanted, stored = chosen.rules[0][1], declared.rules[0][1]
    exact = re.search(r"block|dynamic|channel|\bg\d", text)
    return wanted.bytes_of(PROBE) == stored.bytes_of(PROBE) if exact else wanted.family == stored.family


def _override(text: str, left: tuple[str, ...] = ()) -> Quantization:
    if text in ("bf16", "none", "none(bf16)", "bfloat16", "fp16", "float16", "auto"):
        return Quantization("bf16")
    if re.search(r"mixed|\+", text):
        raise UnsupportedConfig(f"weight_quant {text[:60]!r} names several formats: which part has which can't be told")
    found = re.search(r"\bg(\d{1,4})\b", text)
    group = whole_number("the group size", int(found[1])) if found else 0
    schemes = (
        ("mxfp4", MXFP4),
        ("nvfp4", NVFP4),
        ("gptq", gptq(4, group or 128)),
        ("awq", gptq(4, group or 128)),
        ("int4", packed(4, group or 32)),
        ("w4a16", packed(4, group or 32)),
        ("fp8", FP8_BLOCK if "block" in text else FP8_CHANNEL),
    )
    for word, scheme in schemes:
        if word in text:
            where = experts if "expert" in text else everything
            return Quantization(text[:60], ((where, scheme),), matcher(("lm_head", *left)))
    raise UnsupportedConfig(
        f"weight_quant {text[:60]!r} does not say how the weights are stored; name bf16, fp8-dynamic, fp8-block, "
        "w4a16-g32, gptq-g128, awq-g128, mxfp4 or nvfp4"
    )


def _declared(config: Mapping[str, Any]) -> Quantization:
    method = name_of(config, "quant_method")
    if method == "fp8":
        return Quantization("fp8", ((everything, _fp8(config)),), _ignore(config))
    if method in ("gptq", "awq"):
        scheme = gptq(whole(config, "bits", 4), whole(config, "group_size", 128, least=-1))
        return Quantization(method, ((everything, scheme),), _ignore(config))
    if method == "mxfp4":
        return Quantization("mxfp4", ((experts, MXFP4),), _ignore(config))
    if method == "compressed-tensors":
        return Quantization("compressed-tensors", _groups(config), _ignore(config))
    if method == "modelopt" or name_of(config, "quant_algo").upper() in ("NVFP4", "FP8"):
        return Quantization("modelopt", ((everything, _modelopt(config)),), _ignore(config))
    raise UnsupportedConfig(f"quant_method {shown(method)} is not one whose bytes are known here")


def _fp8(config: Mapping[str, Any]) -> Scheme:
    size = config.get("weight_block_size")
    if size is None:
        return FP8_CHANNEL
    if size != [BLOCK, BLOCK] and size != (BLOCK, BLOCK):
        raise UnsupportedConfig(f"weight_block_size is {shown(size)}; only 128 x 128 is known here")
    return FP8_BLOCK


def _modelopt(config: Mapping[str, Any]) -> Scheme:
    schemes = {"NVFP4": NVFP4, "FP8": FP8_CHANNEL}
    algorithm = name_of(config, "quant_algo").upper()
    if algorithm not in schemes:
        raise UnsupportedConfig(f"modelopt quant_algo {algorithm[:40]!r} is not one whose bytes are known here")
    return schemes[algorithm]


def _groups(config: Mapping[str, Any]) -> tuple[tuple[Matcher, Scheme], ...]:
    groups = block(config, "config_groups")
    if not groups:
        raise UnsupportedConfig("compressed-tensors without config_groups: the bytes can't be told")
    rules = []
    for key in groups:
        group = block(groups, key) or {}
        targets = words(group, "targets")
        rules.append((everything if "Linear" in targets else matcher(targets), _group_scheme(group, config)))
    return tuple(rules)


def _group_scheme(group: Mapping[str, Any], config: Mapping[str, Any]) -> Scheme:
    weights, form = block(group, "weights"), name_of(group, "format") or name_of(config, "format")
    if weights is None:
        raise UnsupportedConfig("a compressed-tensors group without weights: the bytes can't be told")
    bits, strategy = whole(weights, "num_bits"), weights.get("strategy")
    if bits == 4 and weights.get("type") == "float":
        return MXFP4 if "mxfp4" in form else NVFP4
    if bits == 8 and strategy in ("channel", "tensor", None):
        return FP8_CHANNEL
    if bits == 8 and strategy == "block" and weights.get("block_structure") in ([BLOCK, BLOCK], "128x128"):
        return FP8_BLOCK
    if bits in (4, 8) and strategy in ("group", "channel") and form == "pack-quantized":
        size = whole(weights, "group_size") if strategy == "group" else 0
        return packed(bits, size, symmetric=flag(weights, "symmetric", True))
    raise UnsupportedConfig(
        f"compressed-tensors with {bits} bits, strategy {shown(strategy)}, format {form[:20]!r} is not known here"
    )


def _ignore(config: Mapping[str, Any]) -> Matcher:
    names = words(config, "ignore", "modules_to_not_convert", "ignored_layers", "exclude_modules")
    dynamic = block(config, "dynamic") or {}
    names += tuple("re:" + key[2:] for key in dynamic if isinstance(key, str) and key.startswith("-:"))
    if config.get("lm_head") is not True:
        names += ("lm_head",)
    return matcher(names)
