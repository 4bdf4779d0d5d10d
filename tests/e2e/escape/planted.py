"""Real-looking credentials in every place where Google's clients look, and how
to recognize them on the wire. Every one of them holds the word MARK, or, where
a client sends it only signed or encoded, is found by decoding."""
import base64
import json
import os
import pathlib
import re
import sqlite3
import subprocess

MARK = "PLANTED"


def key_file(private_key):
    return {"type": "service_account", "project_id": "planted-project", "private_key_id": MARK + "keyid",
            "private_key": private_key, "client_email": f"{MARK}-key@planted-project.iam.gserviceaccount.com",
            "client_id": "100000000000000000001", "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": "https://oauth2.googleapis.com/token", "universe_domain": "googleapis.com"}


def user_file(name):
    return {"type": "authorized_user", "client_id": f"{MARK}-client.apps.googleusercontent.com",
            "client_secret": f"{MARK}-secret", "refresh_token": f"1//{MARK}-{name}", "account": "",
            "universe_domain": "googleapis.com", "quota_project_id": "planted-project"}


def gcloud_folder(folder, name):
    """A signed-in user, with a cached token, as gcloud 528 keeps it."""
    account = "planted@example.com"
    folder.mkdir(parents=True)
    (folder / "configurations").mkdir()
    (folder / "configurations/config_default").write_text(
        f"[core]\naccount = {account}\nproject = planted-project\n")
    (folder / "active_config").write_text("default")
    (folder / "application_default_credentials.json").write_text(json.dumps(user_file(name + "-adc")))
    stored = {**user_file(name), "revoke_uri": "https://oauth2.googleapis.com/revoke",
              "scopes": ["https://www.googleapis.com/auth/cloud-platform"],
              "token_uri": "https://oauth2.googleapis.com/token"}
    with sqlite3.connect(folder / "credentials.db") as database:
        database.execute('CREATE TABLE "credentials" (account_id TEXT PRIMARY KEY, value BLOB)')
        database.execute("INSERT INTO credentials VALUES (?, ?)", (account, json.dumps(stored)))
    with sqlite3.connect(folder / "access_tokens.db") as database:
        database.execute('CREATE TABLE "access_tokens" (account_id TEXT PRIMARY KEY, access_token TEXT, '
                         "token_expiry TIMESTAMP, rapt_token TEXT, id_token TEXT)")
        database.execute("INSERT INTO access_tokens VALUES (?, ?, ?, NULL, NULL)",
                         (account, f"ya29.{MARK}-{name}-cached", "2099-01-01 00:00:00"))
    legacy = folder / "legacy_credentials" / account
    legacy.mkdir(parents=True)
    (legacy / "adc.json").write_text(json.dumps(user_file(name + "-legacy")))
    (legacy / ".boto").write_text(boto(name + "-legacy"))


def boto(name):
    return (f"[OAuth2]\nclient_id = {MARK}-client\nclient_secret = {MARK}-secret\n\n"
            f"[Credentials]\ngs_oauth2_refresh_token = 1//{MARK}-{name}\n")


def plant(home):
    """Fills the home folder; the variables of a shell that holds the rest."""
    home = pathlib.Path(home)
    private_key = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
                                 capture_output=True, text=True, check=True).stdout
    gcloud_folder(home / ".config/gcloud", "home")
    gcloud_folder(home / "other/gcloud", "variable")
    (home / ".boto").write_text(boto("home-boto"))
    (home / "other/boto").write_text(boto("boto-config"))
    (home / "other/boto-path").write_text(boto("boto-path"))
    (home / "other/key.json").write_text(json.dumps(key_file(private_key)))
    (home / "other/token").write_text(f"ya29.{MARK}-token-file")
    secret = base64.b64encode(f"_json_key:{MARK}-docker".encode()).decode()
    hosts = ["us-central1-docker.pkg.dev", "gcr.io", "https://gcr.io"]
    (home / ".docker").mkdir()
    (home / ".docker/config.json").write_text(json.dumps({"auths": {host: {"auth": secret} for host in hosts}}))
    netrc = "".join(f"machine {host} login oauth2accesstoken password {MARK}-netrc\n" for host in (
        "us-central1-python.pkg.dev", "storage.googleapis.com", "oauth2.googleapis.com", "iam.googleapis.com"))
    (home / ".netrc").write_text(netrc)
    (home / ".netrc").chmod(0o600)
    (home / "other/netrc").write_text(netrc)
    return {
        "HOME": str(home),
        "BOTO_CONFIG": str(home / "other/boto"),
        "BOTO_PATH": str(home / "other/boto-path"),
        "CLOUDSDK_AUTH_ACCESS_TOKEN": f"ya29.{MARK}-token-variable",
        "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": str(home / "other/token"),
        "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE": str(home / "other/key.json"),
        "CLOUDSDK_CONFIG": str(home / "other/gcloud"),
        "CLOUDSDK_CORE_ACCOUNT": "planted@example.com",
        "DOCKER_CONFIG": str(home / ".docker"),
        "GCE_METADATA_HOST": "169.254.169.254",
        "GCE_METADATA_IP": "169.254.169.254",
        "GCE_METADATA_ROOT": "169.254.169.254",
        "GOOGLE_APPLICATION_CREDENTIALS": str(home / "other/key.json"),
        "GOOGLE_CREDENTIALS": json.dumps(key_file(private_key)),
        "GOOGLE_OAUTH_ACCESS_TOKEN": f"ya29.{MARK}-oauth-variable",
        "NETRC": str(home / "other/netrc"),
        "REGISTRY_AUTH_FILE": str(home / ".docker/config.json"),
    }


def _decoded(text):
    """What hides in base64: Basic credentials, parts of JWTs."""
    for word in re.findall(r"[A-Za-z0-9+/_-]{12,}={0,2}", text):
        try:
            yield base64.urlsafe_b64decode(word.replace("+", "-").replace("/", "_") + "=" * (-len(word) % 4)).decode(
                "utf-8", "ignore")
        except ValueError:
            continue


def arrived(log):
    """The recorded requests in which a planted credential is."""
    if not os.path.exists(log):
        return []
    out = []
    for line in open(log):
        if MARK in line or any(MARK in text for text in _decoded(line)):
            out.append(json.loads(line))
    return out


def requests(log):
    return [json.loads(line) for line in open(log)] if os.path.exists(log) else []
