"""gcloud services: Service Usage v1."""
import uuid

import pytest

pytestmark = pytest.mark.client("gcloud", "env")


@pytest.fixture(scope="module")
def project(cloud, gcloud):
    name = f"svc-{uuid.uuid4().hex[:10]}"
    cloud.run(gcloud, "projects", "create", name)
    return name


def enabled(cloud, gcloud, project, **kwargs):
    listed = cloud.json(gcloud, "services", "list", "--enabled", f"--project={project}", "--format=json", **kwargs)
    return {entry["config"]["name"]: entry for entry in listed}


def test_a_new_project_has_the_default_set(cloud, gcloud, project):
    services = enabled(cloud, gcloud, project)
    for name in ["storage.googleapis.com", "logging.googleapis.com", "serviceusage.googleapis.com",
                 "cloudapis.googleapis.com"]:
        assert services[name]["state"] == "ENABLED"
    assert "aiplatform.googleapis.com" not in services


@pytest.mark.client("gcloud", "sealed")
def test_services_are_enabled_one_and_several(cloud, gcloud, project, mode):
    one = cloud.run(gcloud, "services", "enable", "aiplatform.googleapis.com", f"--project={project}", mode=mode)
    assert mode == "sealed" or 'finished successfully.' in one.stderr
    again = cloud.run(gcloud, "services", "enable", "aiplatform.googleapis.com", f"--project={project}", mode=mode)
    assert again.returncode == 0
    cloud.run(gcloud, "services", "enable", "aiplatform.googleapis.com", "artifactregistry.googleapis.com",
              "cloudbuild.googleapis.com", f"--project={project}", mode=mode)
    services = enabled(cloud, gcloud, project, mode=mode)
    entry = services["aiplatform.googleapis.com"]
    assert entry["config"]["title"] == "Vertex AI API"
    number = cloud.json(gcloud, "projects", "describe", project, "--format=json")["projectNumber"]
    assert entry["name"] == f"projects/{number}/services/aiplatform.googleapis.com"
    assert {"artifactregistry.googleapis.com", "cloudbuild.googleapis.com"} <= set(services)


def test_enabling_vertex_makes_its_service_agents(cloud, gcloud, project):
    cloud.run(gcloud, "services", "enable", "aiplatform.googleapis.com", f"--project={project}")
    number = cloud.json(gcloud, "projects", "describe", project, "--format=json")["projectNumber"]
    policy = cloud.json(gcloud, "projects", "get-iam-policy", project, "--format=json")
    roles = {binding["role"]: binding["members"] for binding in policy["bindings"]}
    assert roles["roles/aiplatform.serviceAgent"] == [
        f"serviceAccount:service-{number}@gcp-sa-aiplatform.iam.gserviceaccount.com"]
    listed = cloud.json(gcloud, "iam", "service-accounts", "list", f"--project={project}", "--format=json")
    assert not [account for account in listed if "gcp-sa-" in account["email"]]


def test_disabling_names_what_depends_on_it(cloud, gcloud, project):
    cloud.run(gcloud, "services", "enable", "compute.googleapis.com", f"--project={project}")
    done = cloud.run(gcloud, "services", "disable", "oslogin.googleapis.com", f"--project={project}", check=False)
    assert done.returncode == 1
    assert "is depended on by the following active service(s): compute.googleapis.com" in done.stderr
    cloud.run(gcloud, "services", "disable", "oslogin.googleapis.com", "--force", f"--project={project}")
    number = cloud.json(gcloud, "projects", "describe", project, "--format=json")["projectNumber"]
    listed = cloud.json(gcloud, "iam", "service-accounts", "list", f"--project={project}", "--format=json")
    assert (f"{number}-compute@developer.gserviceaccount.com", "Compute Engine default service account") in [
        (account["email"], account["displayName"]) for account in listed]
    services = enabled(cloud, gcloud, project)
    assert "compute.googleapis.com" not in services and "oslogin.googleapis.com" not in services


def test_unknown_services_are_refused(cloud, gcloud, project):
    done = cloud.run(gcloud, "services", "enable", "nope.googleapis.com", f"--project={project}", check=False)
    assert done.returncode == 1
    assert "Not found or permission denied for service(s): nope.googleapis.com." in done.stderr
    assert "SERVICE_CONFIG_NOT_FOUND_OR_PERMISSION_DENIED" in done.stderr


def test_the_catalogue_lists_what_can_be_enabled(cloud, gcloud, project):
    listed = cloud.json(gcloud, "services", "list", "--available", f"--project={project}", "--format=json")
    names = [entry["config"]["name"] for entry in listed]
    assert {"aiplatform.googleapis.com", "artifactregistry.googleapis.com", "cloudbuild.googleapis.com",
            "container.googleapis.com", "notebooks.googleapis.com"} <= set(names)
    assert len(names) == len(set(names))


def test_an_unknown_project_is_refused(cloud, gcloud):
    done = cloud.run(gcloud, "services", "list", "--enabled", "--project=no-such-project-1", check=False)
    assert done.returncode == 1
    assert "Permission denied on resource project no-such-project-1." in done.stderr
