"""Opt-in: $BEACHHEAD_TEST_KUBECONFIG leads to a real cluster; the manifests are sent there as a server-side dry run.

Nothing is kept there but a namespace of the test's own, which it deletes.  No cluster has run this so far.
"""

import os
import subprocess
import uuid

import pytest

from tasks.kubernetes.objects import dump
from tasks.kubernetes.render import everything
from tests.kubernetes.ground import IMAGE, inventory, release, slot

CONFIG = os.environ.get("BEACHHEAD_TEST_KUBECONFIG")
pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not CONFIG, reason="BEACHHEAD_TEST_KUBECONFIG is not set")]


def kubectl(*words: str, stdin: str = "") -> str:
    ran = subprocess.run(
        ["kubectl", f"--kubeconfig={CONFIG}", *words], input=stdin, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_a_real_server_takes_every_object_strictly() -> None:
    space = f"beachhead-test-{uuid.uuid4().hex[:8]}"
    block = {"namespace": space, "storage": {"storage_class": "standard"}, "runtime_class": None}
    asked = inventory(kubernetes=block, container={"image": IMAGE}, start_budget_s=600)
    kubectl("create", "namespace", space)
    try:
        words = ("apply", "--server-side", "--field-manager=beachhead", "--force-conflicts", "--validate=strict")
        objects = everything(asked, release(), slot())
        said = kubectl(*words, "--dry-run=server", "--filename=-", stdin=dump(objects))
        assert said.count("serverside-applied (server dry run)") == len(objects)
    finally:
        kubectl("delete", "namespace", space, "--wait=false")
