"""gcloud iam service-accounts: accounts, keys, policies."""
import base64
import json
import os
import stat
import uuid

import pytest

pytestmark = pytest.mark.client("gcloud", "env")


@pytest.fixture(scope="module")
def project(cloud, gcloud):
    name = f"iam-{uuid.uuid4().hex[:10]}"
    cloud.run(gcloud, "projects", "create", name)
    return name


@pytest.fixture(scope="module")
def email(cloud, gcloud, project):
    """The account of the seed, in this module's project."""
    cloud.run(gcloud, "iam", "service-accounts", "create", "ml-trainer",
              "--display-name=ML Training Service Account", f"--project={project}")
    return f"ml-trainer@{project}.iam.gserviceaccount.com"


@pytest.mark.client("gcloud", "sealed")
def test_an_account_is_described(cloud, gcloud, project, email, mode):
    found = cloud.json(gcloud, "iam", "service-accounts", "describe", email, "--format=json", mode=mode)
    assert found["email"] == email
    assert found["displayName"] == "ML Training Service Account"
    assert found["uniqueId"].isdigit() and len(found["uniqueId"]) == 21
    assert found["oauth2ClientId"] == found["uniqueId"]
    assert found["projectId"] == project
    assert found["name"] == f"projects/{project}/serviceAccounts/{email}"


def test_the_e_mail_is_the_seeds(cloud, gcloud, project, email):
    name = "ml-trainer"
    expected = cloud.run("bash", "-c", f'SERVICE_ACCOUNT_NAME={name} PROJECT_ID={project}; '
                         'echo "${SERVICE_ACCOUNT_NAME}@${PROJECT_ID}.iam.gserviceaccount.com"').stdout.strip()
    listed = cloud.json(gcloud, "iam", "service-accounts", "list", f"--project={project}",
                        "--filter=displayName:ML", "--format=json")
    assert [account["email"] for account in listed] == [expected] == [email]


def test_an_account_is_made_once(cloud, gcloud, project, email):
    done = cloud.run(gcloud, "iam", "service-accounts", "create", "ml-trainer", f"--project={project}", check=False)
    assert done.returncode == 1
    assert f"Service account ml-trainer already exists within project projects/{project}." in done.stderr


@pytest.mark.parametrize("bad", ["abc", "Ml-Trainer"])
def test_bad_ids_are_refused(cloud, gcloud, project, bad):
    done = cloud.run(gcloud, "iam", "service-accounts", "create", bad, f"--project={project}", check=False)
    assert done.returncode in (1, 2)
    assert bad in done.stderr


def test_an_unknown_account_is_not_found(cloud, gcloud, project):
    done = cloud.run(gcloud, "iam", "service-accounts", "describe",
                     f"who@{project}.iam.gserviceaccount.com", check=False)
    assert done.returncode == 1
    assert "NOT_FOUND: Unknown service account" in done.stderr


def test_update_disable_enable(cloud, gcloud, project):
    cloud.run(gcloud, "iam", "service-accounts", "create", "changing", f"--project={project}")
    email = f"changing@{project}.iam.gserviceaccount.com"
    cloud.run(gcloud, "iam", "service-accounts", "update", email, "--description=words", f"--project={project}")
    cloud.run(gcloud, "iam", "service-accounts", "disable", email, f"--project={project}")
    found = cloud.json(gcloud, "iam", "service-accounts", "describe", email, "--format=json")
    assert found["description"] == "words" and found["disabled"] is True
    cloud.run(gcloud, "iam", "service-accounts", "enable", email, f"--project={project}")
    found = cloud.json(gcloud, "iam", "service-accounts", "describe", email, "--format=json")
    assert "disabled" not in found
    cloud.run(gcloud, "iam", "service-accounts", "delete", email, "--quiet", f"--project={project}")
    done = cloud.run(gcloud, "iam", "service-accounts", "describe", email, check=False)
    assert "NOT_FOUND" in done.stderr


def test_a_key_file_is_googles_and_works(cloud, gcloud, project, email, tmp_path):
    file = tmp_path / "key.json"
    created = cloud.run(gcloud, "iam", "service-accounts", "keys", "create", file, f"--iam-account={email}")
    assert f"created key [" in created.stderr and f"for [{email}]" in created.stderr
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    key = json.loads(file.read_text())
    assert list(key) == ["type", "project_id", "private_key_id", "private_key", "client_email", "client_id",
                         "auth_uri", "token_uri", "auth_provider_x509_cert_url", "client_x509_cert_url",
                         "universe_domain"]
    assert key["type"] == "service_account" and key["client_email"] == email and key["project_id"] == project
    assert key["private_key"].startswith("-----BEGIN PRIVATE KEY-----\n")

    listed = cloud.json(gcloud, "iam", "service-accounts", "keys", "list", f"--iam-account={email}",
                        "--managed-by=user", "--format=json")
    assert [entry["name"].rsplit("/", 1)[1] for entry in listed] == [key["private_key_id"]]
    assert listed[0]["validBeforeTime"] == "9999-12-31T23:59:59Z"

    config = {"CLOUDSDK_CONFIG": str(tmp_path / "gcloud")}
    script = (f"{gcloud} auth activate-service-account --key-file={file} && {gcloud} auth list --format=json && "
              f"{gcloud} auth print-access-token")
    done = cloud.run("env", f"CLOUDSDK_CONFIG={config['CLOUDSDK_CONFIG']}", "bash", "-c", script)
    assert f"Activated service account credentials for: [{email}]" in done.stderr
    text, token = done.stdout.rstrip().rsplit("\n", 1)
    assert [(entry["account"], entry["status"]) for entry in json.loads(text)] == [(email, "ACTIVE")]
    info = cloud.json("curl", "-sS", f"https://oauth2.googleapis.com/tokeninfo?access_token={token}")
    assert info["email"] == email

    cloud.run(gcloud, "iam", "service-accounts", "keys", "delete", key["private_key_id"], f"--iam-account={email}",
              "--quiet")
    done = cloud.run("env", f"CLOUDSDK_CONFIG={tmp_path / 'other'}", gcloud, "auth", "activate-service-account",
                     f"--key-file={file}", check=False)
    assert done.returncode == 1
    assert "invalid_grant" in done.stderr and "Invalid JWT Signature." in done.stderr


@pytest.mark.client("gcloud", "sealed")
def test_tokens_are_printed_with_and_without_impersonation(cloud, gcloud, email, mode):
    token = cloud.run(gcloud, "auth", "print-access-token", mode=mode).stdout.strip()
    assert token.startswith("ya29.a0")
    done = cloud.run(gcloud, "auth", "print-access-token", f"--impersonate-service-account={email}", mode=mode)
    assert f"WARNING: This command is using service account impersonation. All API calls will be executed as " \
           f"[{email}]." in done.stderr
    info = cloud.json("curl", "-sS",
                      f"https://oauth2.googleapis.com/tokeninfo?access_token={done.stdout.strip()}", mode=mode)
    assert info["email"] == email

    done = cloud.run(gcloud, "auth", "print-identity-token", f"--impersonate-service-account={email}",
                     "--audiences=https://x.run.app", "--include-email", mode=mode)
    payload = done.stdout.strip().split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert claims["aud"] == "https://x.run.app" and claims["email"] == email
    assert claims["iss"] == "https://accounts.google.com"


def test_impersonation_of_nobody_is_refused(cloud, gcloud, project):
    done = cloud.run(gcloud, "auth", "print-access-token",
                     f"--impersonate-service-account=who@{project}.iam.gserviceaccount.com", check=False)
    assert done.returncode == 1
    assert "Not found; Gaia id not found for email" in done.stderr


def test_a_policy_on_an_account(cloud, gcloud, project, email):
    added = cloud.json(gcloud, "iam", "service-accounts", "add-iam-policy-binding", email,
                       "--member=user:owner@brume.local", "--role=roles/iam.serviceAccountTokenCreator",
                       f"--project={project}", "--format=json")
    assert added["bindings"] == [{"members": ["user:owner@brume.local"],
                                  "role": "roles/iam.serviceAccountTokenCreator"}]
    got = cloud.json(gcloud, "iam", "service-accounts", "get-iam-policy", email, f"--project={project}",
                     "--format=json")
    assert got["bindings"] == added["bindings"] and got["etag"] == added["etag"]


def test_sign_blob_verifies_with_the_published_certificate(cloud, gcloud, project, email, tmp_path):
    (tmp_path / "text").write_bytes(b"to be signed")
    cloud.run(gcloud, "iam", "service-accounts", "sign-blob", f"--iam-account={email}", tmp_path / "text",
              tmp_path / "signature")
    certificates = cloud.json("curl", "-sS", f"https://www.googleapis.com/robot/v1/metadata/x509/{email}")
    verified = []
    for pem in certificates.values():
        (tmp_path / "cert.pem").write_text(pem)
        done = cloud.run("bash", "-c", f"cd {tmp_path} && openssl x509 -in cert.pem -pubkey -noout > pub.pem && "
                         "openssl dgst -sha256 -verify pub.pem -signature signature text", check=False)
        verified.append(done.returncode == 0)
    assert verified.count(True) == 1
