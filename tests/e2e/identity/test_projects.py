"""gcloud projects and config set project: Resource Manager v1."""
import json
import uuid

import pytest

pytestmark = pytest.mark.client("gcloud", "env")


def new_id(stem="e2e"):
    return f"{stem}-{uuid.uuid4().hex[:10]}"


@pytest.fixture(scope="module")
def project(cloud, gcloud):
    """A project of this module's own."""
    name = new_id()
    cloud.run(gcloud, "projects", "create", name, "--name=Rehearsal One", "--labels=team=vision")
    return name


def describe(cloud, gcloud, project, **kwargs):
    return cloud.json(gcloud, "projects", "describe", project, "--format=json", **kwargs)


@pytest.mark.client("gcloud", "sealed")
def test_a_project_is_described_by_id_and_by_number(cloud, gcloud, project, mode):
    found = describe(cloud, gcloud, project, mode=mode)
    assert found["projectId"] == project
    assert found["name"] == "Rehearsal One"
    assert found["lifecycleState"] == "ACTIVE"
    assert found["labels"] == {"team": "vision"}
    assert found["projectNumber"].isdigit() and len(found["projectNumber"]) == 12
    assert describe(cloud, gcloud, found["projectNumber"], mode=mode) == found


def test_projects_are_listed_and_filtered(cloud, gcloud, project):
    listed = cloud.json(gcloud, "projects", "list", "--format=json")
    ids = [entry["projectId"] for entry in listed]
    assert project in ids and "brume-local" in ids
    one = cloud.json(gcloud, "projects", "list", f"--filter=projectId:{project}", "--format=json")
    assert [entry["projectId"] for entry in one] == [project]
    none = cloud.json(gcloud, "projects", "list", "--filter=projectId:no-such-thing", "--format=json")
    assert none == []


def test_an_id_is_given_out_once(cloud, gcloud, project):
    done = cloud.run(gcloud, "projects", "create", project, check=False)
    assert done.returncode == 1
    assert "Project creation failed. The project ID you specified is already in use by another project." in done.stderr


@pytest.mark.parametrize("bad, issue", [
    ("abc", "project_id must be at least 6 characters long"),
    ("bad_project_id", "project_id contains invalid characters"),
])
def test_bad_ids_are_refused_with_the_field(cloud, gcloud, bad, issue):
    """gcloud refuses them itself; other clients hear it from the server."""
    assert cloud.run(gcloud, "projects", "create", bad, check=False).returncode == 2
    script = (f'curl -sS -H "Authorization: Bearer $({gcloud} auth print-access-token)" '
              f'-H "Content-Type: application/json" -d \'{{"projectId": "{bad}"}}\' '
              'https://cloudresourcemanager.googleapis.com/v1/projects')
    error = cloud.json("bash", "-c", script)["error"]
    assert (error["code"], error["status"]) == (400, "INVALID_ARGUMENT")
    assert error["message"] == f"field [project_id] has issue [{issue}]"
    assert error["details"][0]["fieldViolations"] == [{"field": "project_id", "description": issue}]


def test_an_unknown_project_cannot_be_told_from_a_forbidden_one(cloud, gcloud):
    done = cloud.run(gcloud, "projects", "describe", "no-such-project-1", check=False)
    assert done.returncode == 1
    assert "does not have permission to access projects instance [no-such-project-1]" in done.stderr
    assert "The caller does not have permission" in done.stderr


def test_config_set_project_warns_of_an_unknown_one(cloud, gcloud, project):
    good = cloud.run(gcloud, "config", "set", "project", project)
    assert good.stderr.strip().endswith("Updated property [core/project].")
    assert "does not have permission" not in good.stderr
    bad = cloud.run(gcloud, "config", "set", "project", "no-such-project-1")
    assert "WARNING: [owner@brume.local] does not have permission to access projects instance [no-such-project-1] " \
           "(or it may not exist)" in bad.stderr
    assert bad.stderr.strip().endswith("Updated property [core/project].")
    cloud.run(gcloud, "config", "set", "project", "brume-local")


def test_a_policy_is_read_changed_and_written_back(cloud, gcloud, project):
    first = cloud.json(gcloud, "projects", "get-iam-policy", project, "--format=json")
    assert {"role": "roles/owner", "members": ["user:owner@brume.local"]} in first["bindings"]
    assert first["etag"]
    added = cloud.json(gcloud, "projects", "add-iam-policy-binding", project, "--member=user:bob@example.com",
                       "--role=roles/storage.objectViewer", "--format=json")
    assert {"role": "roles/storage.objectViewer", "members": ["user:bob@example.com"]} in added["bindings"]
    assert added["version"] == 1 and added["etag"] != first["etag"]
    removed = cloud.json(gcloud, "projects", "remove-iam-policy-binding", project, "--member=user:bob@example.com",
                         "--role=roles/storage.objectViewer", "--format=json")
    assert removed["bindings"] == first["bindings"]


def test_a_stale_etag_is_refused(cloud, gcloud, project, tmp_path):
    policy = cloud.json(gcloud, "projects", "get-iam-policy", project, "--format=json")
    file = tmp_path / "policy.json"
    file.write_text(json.dumps(policy))
    cloud.run(gcloud, "projects", "set-iam-policy", project, file)
    done = cloud.run(gcloud, "projects", "set-iam-policy", project, file, check=False)
    assert done.returncode == 1
    assert "There were concurrent policy changes." in done.stderr


def test_unknown_roles_and_members_are_refused(cloud, gcloud, project):
    role = cloud.run(gcloud, "projects", "add-iam-policy-binding", project, "--member=user:bob@example.com",
                     "--role=roles/storage.objectViwer", check=False)
    assert role.returncode == 1
    assert "Role roles/storage.objectViwer is not supported for this resource." in role.stderr
    account = f"gone@{project}.iam.gserviceaccount.com"
    member = cloud.run(gcloud, "projects", "add-iam-policy-binding", project, f"--member=serviceAccount:{account}",
                       "--role=roles/viewer", check=False)
    assert member.returncode == 1
    assert f"Service account {account} does not exist." in member.stderr


def test_a_deleted_project_can_be_restored(cloud, gcloud):
    name = new_id("gone")
    cloud.run(gcloud, "projects", "create", name)
    cloud.run(gcloud, "projects", "delete", name, "--quiet")
    assert describe(cloud, gcloud, name)["lifecycleState"] == "DELETE_REQUESTED"
    assert name not in [entry["projectId"] for entry in cloud.json(gcloud, "projects", "list", "--format=json")]
    cloud.run(gcloud, "projects", "undelete", name)
    assert describe(cloud, gcloud, name)["lifecycleState"] == "ACTIVE"


def test_projects_survive_a_kill(fresh_cloud, gcloud):
    name = new_id("kept")
    fresh_cloud.run(gcloud, "projects", "create", name)
    number = describe(fresh_cloud, gcloud, name)["projectNumber"]
    fresh_cloud.stop(9)
    fresh_cloud.start()
    assert describe(fresh_cloud, gcloud, name)["projectNumber"] == number


def test_billing_and_compute_answer_what_gcloud_asks(cloud, gcloud, project):
    linked = cloud.json(gcloud, "billing", "projects", "describe", project, "--format=json")
    assert linked["projectId"] == project
    accounts = cloud.json(gcloud, "billing", "accounts", "list", "--format=json")
    assert len(accounts) == 1 and accounts[0]["open"]
    regions = cloud.json(gcloud, "compute", "regions", "list", f"--project={project}", "--format=json")
    assert "us-central1" in [region["name"] for region in regions]
    zones = cloud.json(gcloud, "compute", "zones", "list", f"--project={project}", "--format=json")
    assert "us-central1-a" in [zone["name"] for zone in zones]
