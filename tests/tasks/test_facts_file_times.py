"""The times of a folder's files: real ones, and listings that are none."""

from pathlib import Path

import pytest

from tasks.facts.base import NotUnderstood, look
from tasks.facts.file_times import FileTimesFact
from tasks.hosts import CommandFailed
from tasks.local import LocalHost

GOOD = "@@ clock\nnow=1795383196.240513\n@@ files\nd 4096 7 1.5 1.5 \nf 1119 8 2.5 3.5 a name.json\n@@ end\n"


def test_a_real_folder(tmp_path: Path) -> None:
    folder = tmp_path / "it's a model"
    (folder / "sub").mkdir(parents=True)
    (folder / ".cache/deep").mkdir(parents=True)
    (folder / ".cache/deep/x").write_text("x")
    (folder / "sub/ä b.safetensors").write_text("12345")
    seen = look(LocalHost("here"), FileTimesFact(str(folder)))
    assert sorted(file.path for file in seen.found) == ["", "sub", "sub/ä b.safetensors"]
    (file,) = [each for each in seen.found if not each.folder]
    stat = (folder / "sub/ä b.safetensors").stat()
    assert (file.size, file.inode) == (5, stat.st_ino)
    assert abs(file.written - stat.st_mtime) < 1e-5 and abs(file.changed - stat.st_ctime) < 1e-5
    assert 0 <= seen.clock - file.changed < 60


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed):
        look(LocalHost("here"), FileTimesFact(str(tmp_path / "none")))


def test_a_listing() -> None:
    seen = FileTimesFact("/m").parse(GOOD)
    assert (seen.clock, [file.path for file in seen.found]) == (1795383196.240513, ["", "a name.json"])


@pytest.mark.parametrize(
    "text",
    [
        "",
        GOOD.replace("@@ end\n", ""),
        GOOD.replace("d 4096 7 1.5 1.5 \n", ""),
        GOOD.replace("now=", "at="),
        GOOD.replace("f 1119", "f x"),
        GOOD.replace("2.5 3.5 ", "2.5 "),
        GOOD.replace("@@ end", "f 1 8 2.5 3.5 a name.json\n@@ end"),
    ],
)
def test_anything_else_is_not_understood(text: str) -> None:
    with pytest.raises(NotUnderstood):
        FileTimesFact("/m").parse(text)
