"""Rows of the seeds that are about accounts, projects and services, in the seeds' own words."""
import json
import os
import pathlib
import shutil
import subprocess
import time
import uuid

import pytest


pytestmark = pytest.mark.client("gcloud", "env")

ELEVEN = [f"{name}.googleapis.com" for name in (
    "compute iam iamcredentials monitoring logging notebooks aiplatform artifactregistry cloudbuild container "
    "cloudresourcemanager").split()]


@pytest.fixture(scope="module")
def project(cloud, gcloud):
    """V-52: made as the seed does, under a name of this run's own."""
    name = f"ray-whisper-{uuid.uuid4().hex[:8]}"
    cloud.run("bash", "-ec", f"export PROJECT_ID={name}; {gcloud} projects create $PROJECT_ID")
    return name


@pytest.fixture(scope="module")
def account(cloud, gcloud, project):
    """V-76: with both texts of the seed."""
    cloud.run("bash", "-ec", f"""
        export PROJECT_ID={project} SERVICE_ACCOUNT_NAME=ray-ai-training
        {gcloud} iam service-accounts create $SERVICE_ACCOUNT_NAME --project=$PROJECT_ID \
          --description="A custom service account for ${{PROJECT_ID}} Vertex AI training" \
          --display-name="${{PROJECT_ID}} Vertex AI Training" """)
    return f"ray-ai-training@{project}.iam.gserviceaccount.com"


@pytest.fixture
def private_config(cloud, tmp_path):
    """A gcloud configuration for this test alone, begun as `brume run` begins one."""
    theirs = cloud.run("bash", "-c", 'echo "$CLOUDSDK_CONFIG"').stdout.strip()
    shutil.copytree(theirs, tmp_path / "gcloud")
    return f"CLOUDSDK_CONFIG={tmp_path / 'gcloud'}"


def test_a_project_is_made_and_its_id_is_taken(cloud, gcloud, project):
    found = cloud.json(gcloud, "projects", "describe", project, "--format=json")
    assert found["lifecycleState"] == "ACTIVE" and found["projectNumber"].isdigit()
    assert cloud.run(gcloud, "projects", "create", project, check=False).returncode == 1


def test_a_project_made_by_an_api_call_is_listed(cloud, gcloud):
    name = f"by-call-{uuid.uuid4().hex[:8]}"
    cloud.run("bash", "-ec", f'curl -fsS -H "Authorization: Bearer $({gcloud} auth print-access-token)" '
              f'-H "Content-Type: application/json" -d \'{{"projectId": "{name}"}}\' '
              'https://cloudresourcemanager.googleapis.com/v3/projects')
    assert name in [entry["projectId"] for entry in cloud.json(gcloud, "projects", "list", "--format=json")]


def test_usage_reporting_is_set_in_the_isolated_configuration_only(cloud, gcloud, private_config):
    real = pathlib.Path.home() / ".config/gcloud/configurations/config_default"
    before = real.read_bytes() if real.exists() else None
    cloud.run("env", private_config, gcloud, "config", "set", "disable_usage_reporting", "false")
    assert "disable_usage_reporting = false" in pathlib.Path(
        private_config.split("=", 1)[1], "configurations/config_default").read_text()
    assert (real.read_bytes() if real.exists() else None) == before


def test_gclouds_python_is_the_users(cloud, gcloud):
    value = [gcloud, "info", "--format=value(basic.python_location)"]
    outside = subprocess.run(value, capture_output=True, text=True, timeout=180).stdout
    assert cloud.run(*value).stdout == outside != ""


def test_config_list_shows_account_and_project(cloud, gcloud):
    shown = cloud.json(gcloud, "config", "list", "--format=json")
    assert shown["core"]["account"] == "owner@brume.local"
    assert shown["core"]["project"] == "brume-local"


def test_config_set_account_without_credentials_fails_at_the_next_call(cloud, gcloud, private_config):
    cloud.run("env", private_config, gcloud, "config", "set", "account", "username@domain.com")
    listed = cloud.json("env", private_config, gcloud, "config", "list", "--format=json")
    assert listed["core"]["account"] == "username@domain.com"
    done = cloud.run("env", private_config, gcloud, "projects", "list", check=False)
    assert done.returncode == 1
    assert "Your current active account [username@domain.com] does not have any valid credentials" in done.stderr


def test_auth_list_marks_the_user(cloud, gcloud):
    lines = cloud.run(gcloud, "auth", "list").stdout.splitlines()
    assert any(line.split() == ["*", "owner@brume.local"] for line in lines)
    assert not any("gserviceaccount" in line for line in lines)


@pytest.mark.client("python", "env")
def test_libraries_find_default_credentials(cloud, python):
    out = cloud.json(python, "-c", "import json, google.auth\n"
                     "from google.cloud import storage\n"
                     "credentials, project = google.auth.default()\n"
                     "print(json.dumps([type(credentials).__name__, project,\n"
                     "                  [b.name for b in storage.Client().list_buckets()]]))")
    assert out[:2] == ["Credentials", "brume-local"]
    assert isinstance(out[2], list)


def test_path_bash_inc_adds_to_path_once(cloud, gcloud):
    sdk = pathlib.Path(os.path.realpath(gcloud)).parent.parent
    script = sdk / "path.bash.inc"
    if not script.exists():
        pytest.skip(f"{script} does not exist: gcloud came without it")
    done = cloud.run("bash", "-ec", f'echo "$PATH"; . {script}; . {script}; echo "$PATH"')
    before, after = done.stdout.splitlines()
    assert before == os.environ["PATH"]
    assert after.split(":").count(str(sdk / "bin")) == 1 or str(sdk / "bin") in before.split(":")


def test_the_eleven_services_of_the_seed(cloud, gcloud, project):
    done = cloud.run(gcloud, "services", "enable", *ELEVEN, f"--project={project}")
    assert "finished successfully." in done.stderr
    listed = cloud.json(gcloud, "services", "list", "--enabled", f"--project={project}", "--format=json")
    names = {entry["config"]["name"] for entry in listed}
    assert set(ELEVEN) <= names
    assert {"storage-api.googleapis.com", "storage-component.googleapis.com", "storage.googleapis.com"} <= names
    assert len(names) > len(ELEVEN)


def test_the_service_account_has_both_texts(cloud, gcloud, project, account):
    found = cloud.json(gcloud, "iam", "service-accounts", "describe", account, "--format=json")
    assert found["email"] == account
    assert found["displayName"] == f"{project} Vertex AI Training"
    assert found["description"] == f"A custom service account for {project} Vertex AI training"


def test_a_role_is_granted_once(cloud, gcloud, project, account):
    for _ in range(2):
        cloud.run(gcloud, "projects", "add-iam-policy-binding", project, f"--member=serviceAccount:{account}",
                  "--role=roles/aiplatform.user")
    policy = cloud.json(gcloud, "projects", "get-iam-policy", project, "--format=json")
    held = [binding for binding in policy["bindings"] if binding["role"] == "roles/aiplatform.user"]
    assert held == [{"role": "roles/aiplatform.user", "members": [f"serviceAccount:{account}"]}]


def test_an_access_token_lives_an_hour_or_less(cloud, gcloud, account):
    def left(*flags):
        token = cloud.run(gcloud, "auth", "print-access-token", *flags).stdout.strip()
        info = cloud.json("curl", "-sS", f"https://oauth2.googleapis.com/tokeninfo?access_token={token}")
        assert int(info["exp"]) <= time.time() + 3600
        return int(info["expires_in"])

    assert 0 < left() <= 3600
    assert 0 < left(f"--impersonate-service-account={account}", "--lifetime=1800") <= 1800
    done = cloud.run(gcloud, "auth", "print-access-token", "--lifetime=1800", check=False)
    assert done.returncode == 1


def test_a_key_signs_in_on_another_machine(cloud, gcloud, account, tmp_path):
    key = tmp_path / "key.json"
    cloud.run(gcloud, "iam", "service-accounts", "keys", "create", key, f"--iam-account={account}")
    pem = json.loads(key.read_text())["private_key"]
    (tmp_path / "key.pem").write_text(pem)
    text = subprocess.run(["openssl", "rsa", "-in", tmp_path / "key.pem", "-noout", "-text"], capture_output=True,
                          text=True, check=True).stdout
    assert "2048 bit" in text
    home = tmp_path / "home"
    home.mkdir()
    fresh = [f"HOME={home}", f"CLOUDSDK_CONFIG={home}/gcloud", "CLOUDSDK_CORE_PROJECT=brume-local"]
    cloud.run("env", *fresh, gcloud, "auth", "activate-service-account", f"--key-file={key}")
    listed = cloud.json("env", *fresh, gcloud, "projects", "list", "--format=json")
    assert "brume-local" in [entry["projectId"] for entry in listed]
