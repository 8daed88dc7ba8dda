"""Whether an answer is no answer: empty, or the same again and again, as broken kernels and wrong weights give."""

from __future__ import annotations

from collections import Counter

SHORTEST = 12  # characters: below it repetition says nothing ("no no no" is an answer)
ONE_CHARACTER = 0.6  # of the visible text: "!!!!!!!!" is what NaN logits look like
UNREADABLE = 0.1  # U+FFFD or control characters
TIMES = 4  # so often, to the end: it has fallen into a loop


def degenerate(text: str) -> str | None:
    """Why `text` is degenerate, None where it may be an answer.  What it means is not judged."""
    visible = "".join(text.split())
    if not visible:
        return "it is empty"
    bad = sum(1 for character in visible if character == "\ufffd" or not character.isprintable())
    if bad / len(visible) > UNREADABLE:
        return f"{bad} of {len(visible)} characters can't be read"
    if len(visible) < SHORTEST:
        return None
    character, times = Counter(visible).most_common(1)[0]
    if times / len(visible) > ONE_CHARACTER:
        return f"{times} of {len(visible)} characters are {character!r}"
    loop = visible[len(visible) // 3 :]  # it may have begun well
    period = _period(loop)
    return f"{loop[:period]!r} again and again" if len(loop) >= TIMES * period else None


def _period(text: str) -> int:
    """The smallest p so that text[i] == text[i + p] throughout (Knuth, Morris and Pratt's failure function)."""
    border = [0] * len(text)
    for at in range(1, len(text)):
        length = border[at - 1]
        while length and text[at] != text[length]:
            length = border[length - 1]
        border[at] = length + (text[at] == text[length])
    return len(text) - border[-1]
