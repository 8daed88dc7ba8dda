"""What llama-server says of itself."""

import pytest

from tasks.facts.base import NotUnderstood
from tasks.facts.llamacpp_version import LlamaCppVersion

DEBIAN = "version: 0.7.0 (build 11669, commit Debian)\nbuilt with GNU 16.2.0 for Linux x86_64\n"


def test_version_and_build() -> None:
    assert LlamaCppVersion("llama-server").parse(DEBIAN) == "llama.cpp 0.7.0 (build 11669, commit Debian)"


@pytest.mark.parametrize("said", ["", "llama-server: not found", "built with GNU 16.2.0"])
def test_another_program_is_not_taken_for_it(said: str) -> None:
    with pytest.raises(NotUnderstood):
        LlamaCppVersion("llama-server").parse(said)
