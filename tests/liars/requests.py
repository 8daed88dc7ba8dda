"""Lies about what was asked: fields of the request are lost, moved or cut before the engine sees them."""

from __future__ import annotations

from typing import Any

from tests.liars.exchange import Asked, Lie, Told, on, told_json

BUDGET = "thinking_token_budget"


def without(*names: str) -> Any:
    """The request without these fields."""

    def ask(asked: Asked) -> Asked:
        present = [name for name in names if name in asked.fields]
        return asked.but(**dict.fromkeys(present)) if present and asked.generates else asked

    return ask


def _hoisted(asked: Asked) -> Asked:
    """A budget inside chat_template_kwargs is obeyed."""
    inner = asked.fields.get("chat_template_kwargs")
    return asked.but(**{BUDGET: inner[BUDGET]}) if isinstance(inner, dict) and BUDGET in inner else asked


def _any_budget(asked: Asked) -> Asked:
    """A budget that is no number is dropped instead of refused."""
    budget = asked.fields.get(BUDGET)
    return asked.but(**{BUDGET: None}) if budget is not None and not isinstance(budget, int) else asked


def _raised_budget(asked: Asked) -> Asked:
    budget = asked.fields.get(BUDGET)
    return asked.but(**{BUDGET: budget * 4}) if isinstance(budget, int) and budget else asked


def cut(share: float) -> Any:
    """Only the end of a long prompt is passed on, as ids or as text."""

    def ask(asked: Asked) -> Asked:
        if not asked.generates:
            return asked
        prompt = asked.fields.get("prompt")
        if isinstance(prompt, (list, str)) and len(prompt) > 256:
            return asked.but(prompt=prompt[-int(len(prompt) * share) :])
        messages = asked.fields.get("messages")
        if not isinstance(messages, list):
            return asked
        return asked.but(messages=[_short(message, share) for message in messages])

    return ask


def _short(message: Any, share: float) -> Any:
    text = message.get("content") if isinstance(message, dict) else None
    if not isinstance(text, str) or len(text) < 400:
        return message
    return {**message, "content": text[-int(len(text) * share) :]}


def _as_sent(asked: Asked, value: dict[str, Any]) -> dict[str, Any]:
    """Usage doubles the prompt's tokens where half of it was passed on."""
    found = value.get("usage")
    if isinstance(found, dict) and isinstance(found.get("prompt_tokens"), int) and found["prompt_tokens"] > 128:
        found["prompt_tokens"] *= 2
        found["total_tokens"] = found["prompt_tokens"] + (found.get("completion_tokens") or 0)
    return value


def shortening(window_tokens: int) -> Lie:
    """For an engine with this window: what does not fit is cut, and answered instead of refused."""

    def ask(asked: Asked) -> Asked:
        prompt, room = asked.fields.get("prompt"), asked.fields.get("max_tokens")
        if isinstance(prompt, (list, str)) and len(prompt) >= window_tokens:
            return asked.but(prompt=prompt[: window_tokens // 64])
        messages = asked.fields.get("messages") or [{}]
        text = messages[0].get("content") if len(messages) == 1 else None
        if isinstance(text, str) and len(text) >= window_tokens:
            return asked.but(messages=[{**messages[0], "content": text[:200]}])
        return asked.but(max_tokens=16) if isinstance(room, int) and room >= window_tokens else asked

    return Lie("too-long-is-cut", "a prompt that is too long is cut and answered", ask=ask)


def any_model(name: str) -> Lie:
    """For a server of this model: whatever model is asked for, this one answers."""

    def ask(asked: Asked) -> Asked:
        return asked.but(model=name) if asked.generates else asked

    return Lie("any-model-answers", "another model's name is answered by the one that is served", ask=ask)


def _unlisted(asked: Asked, told: Told) -> Told:
    return Told.of(200, {"object": "list", "data": []})


def _other_model(asked: Asked, told: Told) -> Told:
    return Told.of(200, {"object": "list", "data": [{"id": "gpt-oss-120b", "object": "model", "max_model_len": 8192}]})


def _large_refused(asked: Asked) -> Asked | Told:
    """Budgets above 8,192 tokens are refused."""
    budget = asked.fields.get(BUDGET)
    if not isinstance(budget, int) or budget <= 8192:
        return asked
    why = {"message": f"{BUDGET} must be at most 8192", "type": "BadRequestError", "param": BUDGET, "code": 400}
    return Told.of(400, {"error": why})


def _hot(asked: Asked) -> Asked:
    """Everything is sampled at temperature 1 without a seed."""
    return asked.but(temperature=1.0, seed=None) if asked.generates else asked


def _one_seed(asked: Asked) -> Asked:
    return asked.but(seed=1234) if asked.generates and "seed" in asked.fields else asked


LIES = (
    Lie("budget-ignored", "the thinking budget never reaches the engine", ask=without(BUDGET)),
    Lie("budget-times-4", "four times the budget reaches the engine", ask=_raised_budget),
    Lie("budget-anywhere", "a misplaced budget is obeyed", ask=_hoisted),
    Lie("budget-of-words", "a budget that is no number is dropped without a word", ask=_any_budget),
    Lie("large-budget-refused", "a budget above 8,192 tokens is refused", ask=_large_refused),
    Lie(
        "max-tokens-ignored", "max_tokens never reaches the engine", ask=without("max_tokens", "max_completion_tokens")
    ),
    Lie("stop-ignored", "stop sequences never reach the engine", ask=without("stop")),
    Lie("seed-ignored", "seeds never reach the engine", ask=without("seed")),
    Lie("one-seed", "every request has the same seed", ask=_one_seed),
    Lie("sampled-hot", "everything is sampled at temperature 1", ask=_hot),
    Lie(
        "schema-ignored",
        "response_format never reaches the engine",
        ask=without("response_format", "structured_outputs"),
    ),
    Lie("tools-ignored", "tools never reach the engine", ask=without("tools", "tool_choice", "parallel_tool_calls")),
    Lie("context-cut", "the engine gets the last half of a long prompt", ask=cut(0.5)),
    Lie("context-cut-hidden", "as context-cut, and usage doubles the count", ask=cut(0.5), tell=told_json(_as_sent)),
    Lie("models-empty", "/v1/models lists nothing", tell=on("/v1/models", _unlisted)),
    Lie("other-model", "/v1/models lists another model", tell=on("/v1/models", _other_model)),
)
