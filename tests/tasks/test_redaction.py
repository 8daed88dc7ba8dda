"""What nobody may read is cut out wherever it stands, told or only shaped like a secret."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.redaction import MASK, Redactor

PRIVATE = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\nAAAAB\n-----END OPENSSH PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("token hf_" + "aB3" * 10 + " end", f"token {MASK} end"),
        ('{"key":"sk-' + "a1_-" * 8 + '"}', '{"key":"' + MASK + '"}'),
        ("Authorization: Bearer abc.def-123=", f"Authorization: Bearer {MASK}"),
        ("authorization: bearer abcdefgh", f"authorization: bearer {MASK}"),
        (f"before\n{PRIVATE}\nafter", f"before\n{MASK}\nafter"),
        (PRIVATE.replace("OPENSSH ", "") + PRIVATE, MASK * 2),
        ("cut short: " + PRIVATE[:70], f"cut short: {MASK}"),
    ],
)
def test_secrets_nobody_told_us_about(text: str, clean: str) -> None:
    assert Redactor().text(text) == clean


@pytest.mark.parametrize(
    "text",
    ["hf_hub_download", "hf_xet 1.2.3", "ask-me-anything-about-it", "sk-short", "the bearer of news", "disk-usage",
     "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----"],
)  # fmt: skip
def test_ordinary_words_stay(text: str) -> None:
    assert Redactor().text(text) == text


def test_the_longer_of_two_known_secrets_goes_first() -> None:
    redactor = Redactor()
    for secret in ("pass", "password-1", None, ""):
        redactor.add(secret)
    assert redactor.text("password-1 and pass") == f"{MASK} and {MASK}"


def test_a_tree_is_cut_in_keys_and_leaves_and_keeps_its_numbers() -> None:
    redactor = Redactor()
    redactor.add("s3cret")
    tree = {"a s3cret": ["s3cret", {"n": 1, "x": None, "t": ("s3cret", True, 1.5)}], 7: "x"}
    assert redactor.tree(tree) == {f"a {MASK}": [MASK, {"n": 1, "x": None, "t": [MASK, True, 1.5]}], "7": "x"}


secrets = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=6, max_size=20).filter(
    lambda s: s not in MASK and MASK not in s
)


@given(st.lists(secrets, max_size=4), st.text(max_size=40), st.text(max_size=40))
def test_no_known_secret_is_left(known: list[str], before: str, after: str) -> None:
    redactor = Redactor()
    for secret in known:
        redactor.add(secret)
    clean = redactor.text("".join(before + secret + after for secret in known))
    assert not [secret for secret in known if secret in clean.replace(MASK, "\0")]
    assert redactor.tree([before]) == [redactor.text(before)]
    json.dumps(redactor.tree({"x": [clean]}))
