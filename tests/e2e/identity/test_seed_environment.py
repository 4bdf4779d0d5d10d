"""The variables of the seeds' env.sh, sourced inside `brume run`, and what they name."""
import json
import re
import shutil
import urllib.error
import urllib.request

import pytest

# From the seed, line by line.
ENV_SH = r'''
# Google owner account
USER_ACCOUNT=username@domain.com
# Billing
export PROJECT_ID=ray-whisper

# Infrastructure location
export REGION=us-central1

# AI Training Service Account
export SERVICE_ACCOUNT_NAME='ray-ai-training'
export SERVICE_ACCOUNT="${SERVICE_ACCOUNT_NAME}@${PROJECT_ID}.iam.gserviceaccount.com"

# Training artifacts: training docker build
export REPO="${PROJECT_ID}-tune"
export TRAIN_IMAGE="${REGION}-docker.pkg.dev/${PROJECT_ID}/${REPO}/train"

# Cloud Storage
salt=$(echo $RANDOM | md5sum | head -c3)
export BUCKET_NAME="${PROJECT_ID}-${salt}"
export BUCKET_URI="gs://${BUCKET_NAME}"
'''
ARCHIVE = ("https://dl.google.com/dl/cloudsdk/channels/rapid/downloads/google-cloud-cli-darwin-arm.tar.gz")


@pytest.fixture(scope="module")
def sourced(cloud, tmp_path_factory):
    """What a shell and its child see after `. ./env.sh` inside `brume run`."""
    folder = tmp_path_factory.mktemp("env")
    (folder / "env.sh").write_text(ENV_SH)
    child = 'import json, os; print(json.dumps(dict(os.environ)))'
    done = cloud.run("bash", "-ec", f". ./env.sh; echo \"$USER_ACCOUNT|$salt\"; python3 -c '{child}'", cwd=folder)
    shell, child_text = done.stdout.splitlines()
    user, salt = shell.split("|")
    return {"user": user, "salt": salt, "child": json.loads(child_text)}


def test_sourcing_sets_every_variable(sourced):
    """V-9: exit code 0 is asserted by the fixture."""
    for name in ["PROJECT_ID", "REGION", "SERVICE_ACCOUNT", "REPO", "TRAIN_IMAGE", "BUCKET_NAME", "BUCKET_URI"]:
        assert sourced["child"][name]


def test_the_user_account_is_the_shells_alone(sourced):
    assert sourced["user"] == "username@domain.com"
    assert "USER_ACCOUNT" not in sourced["child"]


def test_project_and_region_are_inherited(sourced):
    assert sourced["child"]["PROJECT_ID"] == "ray-whisper"
    assert sourced["child"]["REGION"] == "us-central1"


@pytest.mark.client("gcloud", "env")
def test_the_service_account_is_the_one_that_is_made(cloud, gcloud, sourced):
    child = sourced["child"]
    cloud.run(gcloud, "projects", "create", child["PROJECT_ID"])
    cloud.run(gcloud, "iam", "service-accounts", "create", child["SERVICE_ACCOUNT_NAME"],
              f"--project={child['PROJECT_ID']}")
    made = cloud.json(gcloud, "iam", "service-accounts", "describe", child["SERVICE_ACCOUNT"], "--format=json")
    assert made["email"] == child["SERVICE_ACCOUNT"] == "ray-ai-training@ray-whisper.iam.gserviceaccount.com"


def test_the_training_image_is_a_name_docker_takes(sourced):
    """The grammar of docker's reference: host, then lower-case path components."""
    component = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
    assert re.fullmatch(rf"[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:/{component})+", sourced["child"]["TRAIN_IMAGE"])
    assert sourced["child"]["TRAIN_IMAGE"] == "us-central1-docker.pkg.dev/ray-whisper/ray-whisper-tune/train"


def test_the_salt_has_three_hexadecimal_digits(sourced):
    assert re.fullmatch(r"[0-9a-f]{3}", sourced["salt"])


@pytest.mark.client("gsutil", "env")
def test_the_bucket_name_is_legal(cloud, gsutil, sourced):
    child = sourced["child"]
    assert child["BUCKET_URI"] == f"gs://ray-whisper-{sourced['salt']}"
    cloud.run(gsutil, "mb", "-p", "brume-local", "-l", child["REGION"], child["BUCKET_URI"])
    assert child["BUCKET_URI"] + "/" in cloud.run(gsutil, "ls", "-p", "brume-local").stdout.splitlines()


def test_the_archive_of_gcloud_is_downloaded_from_its_real_host(cloud):
    if not shutil.which("wget"):
        pytest.skip("wget is not installed")
    offline = cloud.run("wget", "--tries=1", "--spider", ARCHIVE, flags=["--offline"], check=False)
    assert offline.returncode != 0
    assert "403" in offline.stderr or "offline" in offline.stderr
    try:
        urllib.request.urlopen(urllib.request.Request(ARCHIVE, method="HEAD"), timeout=10).close()
    except (urllib.error.URLError, OSError) as error:
        pytest.skip(f"dl.google.com cannot be reached from here: {error}")
    done = cloud.run("wget", "--tries=1", "--spider", ARCHIVE)
    assert "200 OK" in done.stderr
