"""What these suites share: a cloud with a training image, an account and a
bucket. The image is made once and kept between runs (brume images stand-in)."""
import collections
import pathlib
import time

import pytest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent.parent
DIGITS = TOP / "examples/digits"
IMAGE = "us-docker.pkg.dev/vertex-ai/training/pytorch-gpu.2-3:latest"
REGION = "us-central1"

Jobs = collections.namedtuple("Jobs", "cloud project number account bucket")


@pytest.fixture(scope="module")
def jobs(cloud):
    project = "vertex-tests"
    cloud.brume("images", "stand-in", IMAGE, timeout=600)
    cloud.run("python3", DIGITS / "set_up.py", "--project", project, "--bucket", f"{project}-data")
    cloud.brume("cp", "--project", project, DIGITS / "data/digits.csv.gz",
                f"gs://{project}-data/data/digits.csv.gz")
    number = cloud.json("curl", "-sS", "-H", f"Authorization: Bearer {token(cloud)}",
                        f"https://cloudresourcemanager.googleapis.com/v3/projects/{project}")["name"].split("/")[1]
    return Jobs(cloud, project, number, f"trainer@{project}.iam.gserviceaccount.com", f"{project}-data")


def token(cloud):
    """An access token of the owner, as a library gets it."""
    program = ("import json,os,urllib.parse,urllib.request;"
               "user=json.load(open(os.environ['GOOGLE_APPLICATION_CREDENTIALS']));"
               "form={'grant_type':'refresh_token',**{k:user[k] for k in "
               "('client_id','client_secret','refresh_token')}};"
               "print(json.load(urllib.request.urlopen('https://oauth2.googleapis.com/token',"
               "urllib.parse.urlencode(form).encode()))['access_token'])")
    return cloud.run("python3", "-c", program).stdout.strip()


def until(question, seconds=60, every=0.2):
    """The first true answer; fails after that many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > deadline:
            pytest.fail(f"not true within {seconds} s: {question.__name__}")
        time.sleep(every)
