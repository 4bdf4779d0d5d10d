"""Python's Resource Manager client, over gRPC and REST, as owner and with a key."""
import json
import uuid

import pytest

SCRIPT = r'''
import json, sys
from google.api_core import exceptions
from google.cloud import resourcemanager_v3
from google.iam.v1 import policy_pb2

project, transport = sys.argv[1:3]
client = resourcemanager_v3.ProjectsClient(transport=transport)
made = client.create_project(project={"project_id": project, "display_name": "From Python"}).result(timeout=60)
out = {"name": made.name, "state": made.state.name}
out["id"] = client.get_project(name=made.name).project_id
out["number"] = client.get_project(name=f"projects/{project}").name
out["found"] = [p.project_id for p in client.search_projects(query=f"id:{project}")]
updated = client.update_project(project={"name": made.name, "labels": {"a": "b"}},
                                update_mask={"paths": ["labels"]}).result(timeout=60)
out["labels"] = dict(updated.labels)
policy = client.get_iam_policy(resource=made.name)
out["owners"] = list(policy.bindings[0].members)
policy.bindings.append(policy_pb2.Binding(role="roles/viewer", members=["user:bob@example.com"]))
out["roles"] = [b.role for b in client.set_iam_policy(request={"resource": made.name, "policy": policy}).bindings]
try:
    client.set_iam_policy(request={"resource": made.name, "policy": policy})
except exceptions.Conflict as error:
    out["stale"] = error.message
out["held"] = list(client.test_iam_permissions(resource=made.name, permissions=["storage.objects.get"]).permissions)
try:
    client.get_project(name="projects/no-such-project-1")
except exceptions.Forbidden as error:
    out["unknown"] = error.message
try:
    client.create_project(project={"project_id": "x"}).result(timeout=60)
except exceptions.BadRequest as error:
    out["bad"] = error.message
try:
    client.create_project(project={"project_id": project}).result(timeout=60)
except exceptions.Conflict as error:
    out["again"] = True
client.delete_project(name=made.name).result(timeout=60)
out["deleted"] = client.get_project(name=made.name).state.name
print(json.dumps(out))
'''


def check(out, project):
    assert out["name"] == out["number"] and out["name"].split("/")[1].isdigit()
    assert out["state"] == "ACTIVE" and out["deleted"] == "DELETE_REQUESTED"
    assert out["id"] == project and out["found"] == [project]
    assert out["labels"] == {"a": "b"}
    assert out["roles"] == ["roles/owner", "roles/viewer"]
    assert "There were concurrent policy changes." in out["stale"]
    assert out["held"] == ["storage.objects.get"]
    assert "The caller does not have permission" in out["unknown"]
    assert "project_id must be at least 6 characters long" in out["bad"]
    assert out["again"]


@pytest.mark.client("python", "env")
@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_the_client_works_as_the_owner(cloud, python, transport, mode):
    project = f"py-{transport}-{uuid.uuid4().hex[:10]}"
    out = cloud.json(python, "-c", SCRIPT, project, transport, mode=mode)
    check(out, project)
    assert out["owners"] == ["user:owner@brume.local"]


@pytest.mark.client("python", "env")
@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_the_client_works_with_a_key_file(cloud, gcloud, python, transport, tmp_path):
    """With a key the client sends JWTs that it signed itself, and asks for no token."""
    account = f"key-{uuid.uuid4().hex[:6]}"
    cloud.run(gcloud, "iam", "service-accounts", "create", account, "--project=brume-local")
    email = f"{account}@brume-local.iam.gserviceaccount.com"
    key = tmp_path / "key.json"
    cloud.run(gcloud, "iam", "service-accounts", "keys", "create", key, f"--iam-account={email}")
    project = f"key-{transport}-{uuid.uuid4().hex[:10]}"
    out = cloud.json("env", f"GOOGLE_APPLICATION_CREDENTIALS={key}", python, "-c", SCRIPT, project, transport)
    check(out, project)
    assert out["owners"] == [f"serviceAccount:{email}"]
