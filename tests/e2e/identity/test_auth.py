"""Who one is: the owner, wrong tokens, revocation, the metadata server."""
import json
import uuid

import pytest


@pytest.mark.client("gcloud", "env")
@pytest.mark.client("gcloud", "sealed")
def test_the_owner_is_signed_in(cloud, gcloud, mode):
    listed = cloud.json(gcloud, "auth", "list", "--format=json", mode=mode)
    assert [(entry["account"], entry["status"]) for entry in listed] == [("owner@brume.local", "ACTIVE")]
    assert cloud.run(gcloud, "config", "get-value", "account", mode=mode).stdout.strip() == "owner@brume.local"
    token = cloud.run(gcloud, "auth", "application-default", "print-access-token", mode=mode).stdout.strip()
    info = cloud.json("curl", "-sS", "-H", f"Authorization: Bearer {token}",
                      "https://openidconnect.googleapis.com/v1/userinfo", mode=mode)
    assert info["email"] == "owner@brume.local"


@pytest.mark.client("curl", "env")
@pytest.mark.parametrize("headers, message", [
    ([], "Request is missing required authentication credential."),
    (["-H", "Authorization: Bearer ya29.wrong"], "Request had invalid authentication credentials."),
    (["-H", "Authorization: Bearer a.b.c"], "Request had invalid authentication credentials."),
    (["-H", "Authorization: Basic b3duZXI6b3duZXI="], "Request had invalid authentication credentials."),
])
@pytest.mark.parametrize("url", [
    "https://cloudresourcemanager.googleapis.com/v1/projects",
    "https://iam.googleapis.com/v1/projects/brume-local/serviceAccounts",
    "https://serviceusage.googleapis.com/v1/projects/brume-local/services",
])
def test_no_token_and_wrong_tokens_are_401(cloud, url, headers, message):
    done = cloud.run("curl", "-sS", "-i", *headers, url)
    head, body = done.stdout.split("\n\n")[-2:]
    assert " 401 " in head.splitlines()[0]
    assert "www-authenticate: bearer realm=" in head.lower()
    error = json.loads(body)["error"]
    assert error["code"] == 401 and error["status"] == "UNAUTHENTICATED"
    assert error["message"].startswith(message)


@pytest.mark.client("gcloud", "env")
def test_a_revoked_sign_in_ends_and_the_next_run_is_signed_in_again(fresh_cloud, gcloud):
    token = fresh_cloud.run(gcloud, "auth", "print-access-token").stdout.strip()
    fresh_cloud.run(gcloud, "auth", "revoke", "owner@brume.local")
    done = fresh_cloud.run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-H",
                           f"Authorization: Bearer {token}",
                           "https://cloudresourcemanager.googleapis.com/v1/projects")
    assert done.stdout == "401"
    # What the user chose in gcloud stays chosen: nobody is active. The owner can be named, and libraries are signed in.
    again = fresh_cloud.run(gcloud, "auth", "print-access-token", "--account=owner@brume.local").stdout.strip()
    assert again and again != token
    library = fresh_cloud.run(gcloud, "auth", "application-default", "print-access-token").stdout.strip()
    info = fresh_cloud.json("curl", "-sS", f"https://oauth2.googleapis.com/tokeninfo?access_token={library}")
    assert info["email"] == "owner@brume.local"


@pytest.mark.client("gcloud", "env")
def test_tokens_survive_a_kill(fresh_cloud, gcloud):
    token = fresh_cloud.run(gcloud, "auth", "print-access-token").stdout.strip()
    fresh_cloud.stop(9)
    fresh_cloud.start()
    done = fresh_cloud.run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-H",
                           f"Authorization: Bearer {token}",
                           "https://cloudresourcemanager.googleapis.com/v1/projects")
    assert done.stdout == "200"


@pytest.mark.client("gcloud", "env")
@pytest.mark.client("gcloud", "sealed")
def test_a_named_service_account_is_that_of_the_machine(cloud, gcloud, mode):
    name = f"machine-{uuid.uuid4().hex[:6]}"
    cloud.run(gcloud, "iam", "service-accounts", "create", name, "--project=brume-local")
    email = f"{name}@brume-local.iam.gserviceaccount.com"
    script = ("import google.auth, google.auth.transport.requests as t\n"
              "from google.auth import compute_engine\n"
              "credentials = compute_engine.Credentials()\n"
              "credentials.refresh(t.Request())\n"
              "print(credentials.service_account_email)\n"
              "from google.auth.compute_engine import _metadata\n"
              "print(_metadata.get_project_id(t.Request()))\n")
    from clients import environments
    done = cloud.run(environments.interpreter_or_skip("newest"), "-c", script, mode=mode,
                     flags=["--service-account", email])
    assert done.stdout.split() == [email, "brume-local"]


@pytest.mark.client("curl", "env")
def test_without_an_account_there_is_no_machine(cloud):
    done = cloud.run("bash", "-c", 'curl -sS --noproxy "*" -o /dev/null -w "%{http_code}" -H "Metadata-Flavor: Google" '
                     '"http://$GCE_METADATA_HOST/computeMetadata/v1/project/project-id"')
    assert done.stdout == "404"
