"""Makes what the digits project needs in a Google Cloud: a project, its APIs, a
service account for training and a bucket.

    python set_up.py --project digits-demo --bucket digits-demo-data

Calls Google's public REST APIs with the application default credentials of a
signed-in user, and needs nothing but Python. What exists already is kept.
Inside `brume run` the cloud is the local one.
"""
import argparse
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request

TIMEOUT = 60  # seconds
APIS = ["aiplatform.googleapis.com", "iam.googleapis.com", "iamcredentials.googleapis.com",
        "logging.googleapis.com", "storage.googleapis.com"]
OPERATION_STEP = 0.5  # seconds between two questions for an operation


def credentials_file():
    named = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")
    folder = os.environ.get("CLOUDSDK_CONFIG") or os.path.expanduser("~/.config/gcloud")
    return named or os.path.join(folder, "application_default_credentials.json")


def access_token():
    with open(credentials_file(), encoding="utf-8") as file:
        user = json.load(file)
    form = {"grant_type": "refresh_token"}
    form.update({key: user[key] for key in ("client_id", "client_secret", "refresh_token")})
    reply = urllib.request.urlopen("https://oauth2.googleapis.com/token",
                                   urllib.parse.urlencode(form).encode(), timeout=TIMEOUT)
    return json.load(reply)["access_token"]


class Cloud:
    def __init__(self):
        self.token = access_token()

    def call(self, method, url, body=None, exists=()):
        """The reply; None where the error is one of `exists`."""
        request = urllib.request.Request(
            url, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": "Bearer " + self.token, "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as reply:
                return json.loads(reply.read() or b"{}")
        except urllib.error.HTTPError as error:
            if error.code in exists:
                return None
            raise SystemExit(f"{method} {url}: {error.code} {error.read().decode(errors='replace')}")

    def finish(self, root, operation):
        while operation is not None and not operation.get("done"):
            time.sleep(OPERATION_STEP)
            operation = self.call("GET", f"{root}/{operation['name']}")
        if operation and "error" in operation:
            raise SystemExit(f"{operation['name']}: {operation['error']['message']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--project", required=True)
    parser.add_argument("--bucket", required=True)
    parser.add_argument("--region", default="us-central1")
    parser.add_argument("--service-account", default="trainer")
    options = parser.parse_args()
    cloud = Cloud()

    projects = "https://cloudresourcemanager.googleapis.com/v3"
    cloud.finish(projects, cloud.call("POST", f"{projects}/projects", {"projectId": options.project},
                                      exists=(409,)))
    print("project", options.project)

    usage = "https://serviceusage.googleapis.com/v1"
    cloud.finish(usage, cloud.call("POST", f"{usage}/projects/{options.project}/services:batchEnable",
                                   {"serviceIds": APIS}))
    print("APIs", " ".join(api.split(".")[0] for api in APIS))

    cloud.call("POST", f"https://iam.googleapis.com/v1/projects/{options.project}/serviceAccounts",
               {"accountId": options.service_account,
                "serviceAccount": {"displayName": "Trains the digits model"}}, exists=(409,))
    print("account", f"{options.service_account}@{options.project}.iam.gserviceaccount.com")

    cloud.call("POST", f"https://storage.googleapis.com/storage/v1/b?project={options.project}",
               {"name": options.bucket, "location": options.region}, exists=(409,))
    print("bucket", f"gs://{options.bucket}")


if __name__ == "__main__":
    main()
