"""The owner is signed in for gcloud, gsutil and the libraries; a service
account speaks through a metadata server."""
import json
import subprocess

import pytest

from clients import environments
from harness import BRUME


@pytest.fixture(params=["self", "ordinary user"])
def someones_cloud(request):
    return request.getfixturevalue("cloud" if request.param == "self" else "user_cloud")


@pytest.mark.client("gcloud", "mode")
def test_gcloud_knows_the_owner(someones_cloud, gcloud, mode):
    accounts = someones_cloud.json(gcloud, "auth", "list", "--format=json", mode=mode)
    assert accounts == [{"account": "owner@brume.local", "status": "ACTIVE"}]
    token = someones_cloud.run(gcloud, "auth", "print-access-token", mode=mode).stdout
    assert token.startswith("ya29.") and token.count("\n") == 1
    projects = someones_cloud.json(gcloud, "projects", "list", "--format=json", mode=mode)
    assert "brume-local" in [project["projectId"] for project in projects]


def test_what_gcloud_sets_is_there_for_the_next_command(fresh_cloud, gcloud):
    fresh_cloud.run(gcloud, "config", "set", "compute/region", "europe-west4")
    assert fresh_cloud.run(gcloud, "config", "get", "compute/region").stdout == "europe-west4\n"


def test_project_chooses_the_project(cloud, gcloud):
    done = cloud.run(gcloud, "config", "get", "project", flags=["--project", "another-one"])
    assert done.stdout == "another-one\n"
    assert cloud.run(gcloud, "config", "get", "project").stdout == "brume-local\n"


@pytest.fixture(scope="session")
def account(cloud):
    cloud.run("gcloud", "iam", "service-accounts", "create", "trainer", "--display-name=Trainer")
    return "trainer@brume-local.iam.gserviceaccount.com"


@pytest.mark.client("gcloud", "mode")
def test_a_service_account_is_found_by_its_metadata_server(cloud, gcloud, account, mode):
    flags = ["--service-account", "trainer"]
    listed = cloud.json(gcloud, "auth", "list", "--format=json", flags=flags, mode=mode)
    assert listed == [{"account": account, "status": "ACTIVE"}]
    script = ('curl -sS -H "Metadata-Flavor: Google" '
              '"http://$GCE_METADATA_HOST/computeMetadata/v1/instance/service-accounts/default/email"')
    assert cloud.run("bash", "-c", script, flags=flags, mode=mode).stdout == account
    token = cloud.run(gcloud, "auth", "print-access-token", flags=flags, mode=mode).stdout.strip()
    told = cloud.json("curl", "-sS", f"https://oauth2.googleapis.com/tokeninfo?access_token={token}")
    assert told.get("email") == account or told.get("azp"), told


@pytest.mark.client("python", "mode")
def test_libraries_find_the_service_account(cloud, python, account, mode):
    script = ("import google.auth, google.auth.transport.requests as t\n"
              "c, p = google.auth.default(scopes=['https://www.googleapis.com/auth/cloud-platform'])\n"
              "c.refresh(t.Request())\nprint(type(c).__module__, p, c.service_account_email)")
    done = cloud.run(python, "-c", script, flags=["--service-account", account], mode=mode)
    assert done.stdout.split()[0] == "google.auth.compute_engine.credentials", done.stdout
    assert done.stdout.split()[1:] == ["brume-local", account]


def test_the_users_own_adc_do_not_come_before_the_service_account(cloud, account, tmp_path):
    """Go and Node would find them in HOME before they ask a metadata server."""
    folder = tmp_path / ".config/gcloud"
    folder.mkdir(parents=True)
    (folder / "application_default_credentials.json").write_text('{"type": "authorized_user", "refresh_token": "x"}')
    script = ("import google.auth, google.auth.transport.requests as t\n"
              "c, p = google.auth.default(scopes=['https://www.googleapis.com/auth/cloud-platform'])\n"
              "c.refresh(t.Request())\nprint(type(c).__module__, c.service_account_email, c.token)")
    done = cloud.run(environments.interpreter_or_skip("newest"), "-c", script,
                     flags=["--service-account", "trainer"], env={"HOME": str(tmp_path)})
    module, email, token = done.stdout.split()
    assert (module, email) == ("google.auth.impersonated_credentials", account)
    assert token.startswith("ya29.")


def test_a_service_account_that_is_not_there(cloud):
    done = cloud.run("true", flags=["--service-account", "nobody"], check=False)
    assert done.returncode == 1
    assert "find service account 'nobody@brume-local.iam.gserviceaccount.com'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_record_names_run_and_principal(fresh_cloud):
    done = fresh_cloud.run("bash", "-c", 'echo "$BRUME_RUN"; curl -sS -o /dev/null '
                           '-H "Authorization: Bearer $(gcloud auth print-access-token)" '
                           '"https://storage.googleapis.com/storage/v1/b?project=brume-local"')
    run = done.stdout.split()[0]
    rows = json.loads(fresh_cloud.brume("calls", "--json").stdout)
    mine = [row for row in rows if row["run"] == run and row["permission"] == "storage.buckets.list"]
    assert mine and mine[0]["principal"] == "user:owner@brume.local", rows
    assert (mine[0]["verdict"], mine[0]["count"]) == ("unevaluated", 1)


def test_another_user_gets_nothing(cloud, ordinary_user):
    """Over the port without a token, and over the data folder not at all."""
    done = subprocess.run(
        ["setpriv", f"--reuid={ordinary_user.uid}", f"--regid={ordinary_user.gid}", "--clear-groups",
         "curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--resolve", "*:443:127.0.0.1", "-k",
         "--connect-to", f"::127.0.0.1:{cloud.port}",
         "https://cloudresourcemanager.googleapis.com/v1/projects/brume-local"], capture_output=True, text=True)
    assert done.stdout == "401", done
    done = subprocess.run(
        ["setpriv", f"--reuid={ordinary_user.uid}", f"--regid={ordinary_user.gid}", "--clear-groups",
         str(BRUME), "run", "--data", str(cloud.data), "--", "true"], capture_output=True, text=True)
    assert done.returncode == 1 and "Permission denied" in done.stderr
