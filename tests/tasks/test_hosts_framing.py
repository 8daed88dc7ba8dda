"""The marks around a command: everything comes back to the byte, and no part is ever taken for the whole."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.framing import Stream, Unframed, frame, new_nonce, unframe

NONCE = "0123456789abcdef0123456789abcdef"
# text that looks like our own marks is far likelier here than by chance
marklike = st.lists(st.sampled_from(["\x1e", "<", ">", "0\n", NONCE[:16], NONCE[16:], "\n"])).map("".join)
output = st.one_of(st.text(), marklike, st.tuples(st.text(), marklike, st.text()).map("".join))


def framed(body: str, status: int = 0, nonce: str = NONCE) -> str:
    return f"\x1e{nonce}<{body}\x1e{nonce}>{status}\n"


@given(output, st.integers(0, 255))
def test_any_output_comes_back_with_its_status(body: str, status: int) -> None:
    nonce = new_nonce()
    assert unframe(framed(body, status, nonce), nonce) == (body, status)


@given(st.text(), st.integers(0, 255), st.data())
def test_no_proper_prefix_is_taken_for_the_end(body: str, status: int, data: st.DataObject) -> None:
    whole = framed(body, status)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(Unframed) as missing:
        unframe(cut, NONCE)
    assert missing.value.began == (len(cut) >= len(NONCE) + 2)


@given(st.text(), st.text())
def test_what_stands_outside_the_marks_is_not_output(before: str, after: str) -> None:
    assert unframe(f"{before}{framed('body', 3)}{after}", NONCE) == ("body", 3)


@given(st.binary(max_size=200), st.lists(st.integers(1, 40), max_size=10))
def test_a_stream_ends_exactly_with_its_mark_however_it_is_cut(body: bytes, cuts: list[int]) -> None:
    stream, rest = Stream(NONCE), f"\x1e{NONCE}<".encode() + body + f"\x1e{NONCE}>7\n".encode()
    for size in [*cuts, len(rest)]:
        assert not stream.ended or not rest
        stream.add(rest[:size])
        rest = rest[size:]
    assert stream.ended
    assert unframe(stream.text, NONCE) == (body.decode(errors="replace"), 7)


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=80), st.integers(0, 255))
def test_bash_itself_writes_what_unframe_reads(body: str, status: int) -> None:
    nonce, text = new_nonce(), body.replace("'", "'\"'\"'")
    script = frame(f"printf %s '{text}'; printf %s '{text}' >&2; exit {status}", 10, nonce)
    ran = subprocess.run(["bash", "-c", script], capture_output=True, check=False)
    assert unframe(ran.stdout.decode(), nonce) == (body, status)
    assert unframe(ran.stderr.decode(), nonce) == (body, status)


def test_skipped_input_never_reaches_the_command() -> None:
    script = frame("cat", 10, NONCE, skip_input=True)
    ran = subprocess.run(
        ["bash", "-c", script], input=f"secret\n{NONCE}\nmine\nno newline", capture_output=True, text=True
    )
    assert unframe(ran.stdout, NONCE) == ("mine\nno newline", 0)


def test_without_its_nonce_in_the_input_the_command_does_not_start() -> None:
    script = frame("echo ran", 10, NONCE, skip_input=True)
    ran = subprocess.run(["bash", "-c", script], input="secret\n", capture_output=True, text=True)
    with pytest.raises(Unframed) as missing:
        unframe(ran.stdout, NONCE)
    assert not missing.value.began


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf")])
def test_every_command_has_a_real_deadline(timeout: float) -> None:
    with pytest.raises(ValueError, match="timeout"):
        frame("true", timeout, NONCE)


def test_no_nonce_is_used_twice() -> None:
    assert len({new_nonce() for _ in range(100)}) == 100
