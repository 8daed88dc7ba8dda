"""How long a start may take: declared, seen here, reckoned from a measured disk, or assumed, and it says which."""

import pytest

from tasks.engine_parts.warm_up import CPU_WARM_UP, GPU_WARM_UP
from tasks.facts.disk_read import DiskReadFact, FioReadFact
from tasks.facts.largest_file import LargestFileFact
from tasks.fake import FakeHost
from tasks.hosts import Ran, Unreachable, now
from tasks.local import LocalHost
from tasks.start_budget import (
    ASSUMED_BYTES_PER_S,
    FIO_SECONDS,
    LEAST_S,
    LOADER_BYTES_PER_S,
    READ_MIB,
    disk_speed,
    start_budget,
)
from tests.tasks.engine_cases import case

KIMI = case("vllm", "0.33.0", model="kimi-k2.6", runtime="compose", start_budget_s=None)
BYTES = 595_177_988_208
LISTING = LargestFileFact("/models", 64).command


def test_what_is_declared_wins() -> None:
    told = start_budget(case("vllm", "0.32.0", start_budget_s=300), 1e9, last_start_s=5)
    assert (told.seconds, told.provenance, told.read_s) == (300, "declared", None)


def test_reckoned_from_a_measured_disk() -> None:
    told = start_budget(KIMI, 1.2e9)
    assert told.read_s == pytest.approx(BYTES / 1.2e9) and told.warm_up_s == GPU_WARM_UP.seconds
    assert told.seconds == pytest.approx((BYTES / 1.2e9 + 1413) * 2)
    assert told.provenance == "modelled" and "measured on the host" in told.why and "8x H200" in told.why


def test_a_disk_that_is_faster_than_any_load_known_is_not_counted_on() -> None:
    told = start_budget(KIMI, 12e9)
    assert told.read_s == pytest.approx(BYTES / LOADER_BYTES_PER_S) and "the disk gives 12.00" in told.why


def test_without_a_measurement_it_is_assumed_and_says_so() -> None:
    told = start_budget(KIMI)
    assert told.read_s == pytest.approx(BYTES / ASSUMED_BYTES_PER_S)
    assert told.provenance == "assumed" and "assumed" in told.why
    assert told.seconds > 2357, "the slowest public start is within it"


def test_a_slow_disk_makes_it_longer_than_the_guides_probe_many_times() -> None:
    assert start_budget(KIMI, 0.15e9).seconds > 2 * 3600, "a bucket mounted by FUSE took more than an hour"


def test_an_earlier_start_here_counts_more_than_any_sum() -> None:
    told = start_budget(KIMI, 1e9, last_start_s=420)
    assert (told.seconds, told.provenance, told.warm_up_s) == (840, "measured here", None)


def test_a_small_checkpoint_has_imports_too() -> None:
    tiny = case("vllm", "0.32.0", options={"device": "cpu"}, start_budget_s=None)
    assert start_budget(tiny, 1e9).seconds == pytest.approx(2 * CPU_WARM_UP.seconds, abs=1)
    assert start_budget(tiny, 1e9, last_start_s=1).seconds == LEAST_S


@pytest.mark.parametrize("kind", ["vllm", "sglang", "llamacpp", "tgi"])
def test_every_engine_says_how_long_it_warms_up_and_why(kind: str) -> None:
    told = start_budget(case(kind, "1.0", runtime="compose", start_budget_s=None), 1e9)
    assert told.warm_up_s and told.warm_up_s >= 60 and "(" in told.why


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan")])
def test_no_budget_from_nonsense(bad: float) -> None:
    for given in ({"disk_bytes_per_s": bad}, {"last_start_s": bad}):
        with pytest.raises(ValueError, match="positive"):
            start_budget(KIMI, **given)


def test_the_disk_below_a_folder_is_read(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("models")
    assert disk_speed(LocalHost(), str(folder)) is None, "no file is there to read"
    with (folder / "weights").open("wb") as file:
        file.write(b"\1" * (65 << 20))
    found = disk_speed(LocalHost(), str(folder))
    assert found is None or found > 1e6, "None where the file system has no O_DIRECT"


def test_a_disk_that_cannot_be_asked_is_not_known() -> None:
    deaf = FakeHost("deaf", {LISTING: Unreachable("no route", where="deaf", fix="wait")})
    assert disk_speed(deaf, "/models") is None


def test_fio_counts_and_without_it_one_readers_rate() -> None:
    listed = f"@@ file\n{1 << 30} /models/a"
    fio, dd = FioReadFact("/models/a", FIO_SECONDS).command, DiskReadFact("/models/a", READ_MIB).command
    many = '{"jobs": [{"error": 0, "read": {"io_bytes": 6000000000, "runtime": 3000}}]}'
    assert disk_speed(FakeHost("h", {LISTING: listed, fio: many}), "/models") == 2e9
    absent = Ran("h", fio, 127, "", "fio: not found", now())
    one = "268435456 bytes (268 MB, 256 MiB) copied, 0.5 s, 537 MB/s"
    assert disk_speed(FakeHost("h", {LISTING: listed, fio: absent, dd: one}), "/models") == 268435456 / 0.5
