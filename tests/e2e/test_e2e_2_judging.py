"""A plan that doesn't fit, one claim by name, and weights that changed on the disk."""

import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from assumptions._registry import claims
from tests.e2e.children import until
from tests.e2e.proving_ground import NAME, ProvingGround

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--virtual-time-budget=15000", "--dump-dom"),
)


@pytest.fixture(scope="module")
def refused(ground: ProvingGround) -> str:
    """The id of a run of the guide's recommended hardware, which can't hold the model."""
    run_id, asked = ground.deployment_run("provision", "a100x4", "--watch")
    done = asked.wait(600)
    assert done.code == 1, done
    return run_id


def test_hardware_that_is_too_small_ends_in_no_go_before_any_host_is_asked(ground: ProvingGround, refused: str) -> None:
    run = ground.flow_run(refused)
    assert (run["state_type"], run["state_name"]) == ("FAILED", "NO-GO"), run["state"]
    assert "139.87" in run["state"]["message"]
    assert "72.85" in run["state"]["message"]
    folder = max((ground.evidence / "a100x4").iterdir())
    assert (folder / "raw" / "trail.jsonl").read_text() == ""
    assert json.loads((folder / "run.json").read_text())["verdict"]["decision"] == "NO-GO"
    until("the worker's terminal names the end", lambda: "Finished in state NO-GO" in ground.worker.err, seconds=30)
    time.sleep(2)  # of its own accord Prefect adds a traceback of its own code within milliseconds
    assert "Traceback" not in ground.worker.err


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_a_browser_shows_the_refused_run(ground: ProvingGround, refused: str, tmp_path: Path) -> None:
    page = f"{ground.api.removesuffix('/api')}/runs/flow-run/{refused}"
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={tmp_path}", page]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    (tmp_path / "page.html").write_text(shown)
    assert ground.flow_run(refused)["name"] in shown, shown[-3000:]
    assert "NO-GO" in shown


def test_one_claim_is_judged_by_its_name(ground: ProvingGround) -> None:
    done = ground.beachhead("validate", NAME, "--only", "thinking-budget", "--json")
    assert done.code == 0, done
    assert [(c["claim"], c["finding"]["outcome"]) for c in done.told["claims"]] == [("thinking-budget", "PASS")]
    assert done.told["decision"] == "HOLDS"  # one claim alone is never a GO


def test_a_claim_that_does_not_exist_is_bad_input(ground: ProvingGround) -> None:
    done = ground.beachhead("validate", NAME, "--only", "no-such")
    assert done.code == 2, done
    assert "Traceback" not in done.err
    assert all(claim.id in done.err for claim in claims()), done


def test_one_flipped_byte_is_found_and_only_that_file_is_fetched_again(ground: ProvingGround) -> None:
    shard = next((ground.root / "models" / "tiny-k2").rglob("*.safetensors"))
    whole = shard.read_bytes()
    middle = len(whole) // 2
    shard.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    done = ground.beachhead("validate", NAME, "--only", "weights-intact", "--json")
    assert done.code == 1, done
    assert done.told["decision"] == "NO-GO"
    (record,) = done.told["claims"]
    assert record["finding"]["outcome"] == "FAIL"
    assert shard.name in record["finding"]["because"]

    before = len(ground.journal())
    done = ground.beachhead("fetch", NAME, "--json")
    assert done.code == 0, done
    outcomes = {c["claim"]: c["finding"]["outcome"] for c in done.told["claims"]}
    assert outcomes["weights-intact"] == "PASS" and "FAIL" not in outcomes.values(), outcomes
    (entry,) = ground.journal()[before:]
    deleted, fetched = entry["steps"]
    assert deleted.startswith("delete 1 files")
    assert fetched.startswith("fetch 1 files")
    assert shard.read_bytes() == whole
