"""Who is recorded for a call: users, service accounts, and who acts as them."""
import json
import pathlib
import socket
import uuid

import pytest

pytestmark = pytest.mark.client("gcloud", "env")


def record(cloud):
    """What the server has counted, of all runs."""
    with socket.socket(socket.AF_UNIX) as control:
        control.settimeout(30)
        control.connect(str(cloud.data / "control.sock"))
        control.sendall(b'{"op": "usage"}\n')
        answer = b""
        while not answer.endswith(b"\n"):
            answer += control.recv(1 << 16)
    return json.loads(answer)["usage"]


@pytest.fixture(scope="module")
def account(cloud, gcloud):
    name = f"rec-{uuid.uuid4().hex[:6]}"
    cloud.run(gcloud, "iam", "service-accounts", "create", name, "--project=brume-local")
    return f"{name}@brume-local.iam.gserviceaccount.com"


def test_the_same_call_is_recorded_with_its_principal(cloud, gcloud, account):
    cloud.run(gcloud, "projects", "describe", "brume-local")
    cloud.run(gcloud, "projects", "describe", "brume-local", f"--impersonate-service-account={account}")
    held = {row["principal"] for row in record(cloud)
            if row["method"] == "google.cloudresourcemanager.v1.Projects.GetProject"
            and row["permission"] == "resourcemanager.projects.get" and row["verdict"] == "unevaluated"}
    assert {"user:owner@brume.local", f"serviceAccount:{account}"} <= held


def test_impersonation_names_both_and_leaves_no_token(cloud, gcloud, account):
    # gcloud's log of what it printed is the one place where a printed token stays, there as here.
    token = cloud.run("env", "CLOUDSDK_CORE_DISABLE_FILE_LOGGING=true", gcloud, "auth", "print-access-token",
                      f"--impersonate-service-account={account}").stdout.strip()
    rows = [row for row in record(cloud) if row["permission"] == "iam.serviceAccounts.getAccessToken"
            and row["resource"].endswith(account)]
    assert {row["principal"] for row in rows} == {"user:owner@brume.local"}
    assert token.startswith("ya29.c.")
    for path in pathlib.Path(cloud.data).rglob("*"):
        if path.is_file():
            assert token.encode() not in path.read_bytes(), path
