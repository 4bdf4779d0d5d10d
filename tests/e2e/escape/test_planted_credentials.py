"""A client that bypasses the proxy has nothing with which to act on the real
cloud. Each client runs in a network namespace in which the real cloud is played
(real_cloud.py) and trusted, with the proxy unset and credentials planted in
every known place (planted.py). That the planted ones would arrive without
Brume is tested first, so that their absence means something."""
import concurrent.futures
import os
import pathlib
import shutil
import signal
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import planted  # noqa: E402

from clients import environments  # noqa: E402
from harness import BRUME  # noqa: E402

HERE = pathlib.Path(__file__).parent
PROXIES = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "grpc_proxy"]
NAMES = ["storage.googleapis.com", "oauth2.googleapis.com", "www.googleapis.com", "accounts.google.com",
         "iam.googleapis.com", "iamcredentials.googleapis.com", "cloudresourcemanager.googleapis.com",
         "serviceusage.googleapis.com", "sts.googleapis.com", "us-central1-docker.pkg.dev",
         "us-central1-python.pkg.dev", "gcr.io", "metadata.google.internal"]

PYTHON = """
import google.auth, google.auth.transport.requests, sys
credentials, project = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
session = google.auth.transport.requests.AuthorizedSession(credentials)
print(session.get("https://cloudresourcemanager.googleapis.com/v1/projects", timeout=20).status_code)
"""
NODE = """
const {GoogleAuth} = require('google-auth-library');
new GoogleAuth({scopes: 'https://www.googleapis.com/auth/cloud-platform'}).request(
  {url: 'https://cloudresourcemanager.googleapis.com/v1/projects', retry: false}).then(
  r => console.log(r.status), e => { console.error(e.message); process.exit(1); });
"""
GO = """
package main

import ("context"; "fmt"; "os"; "golang.org/x/oauth2/google")

func main() {
	client, err := google.DefaultClient(context.Background(), "https://www.googleapis.com/auth/cloud-platform")
	if err != nil { fmt.Fprintln(os.Stderr, err); os.Exit(1) }
	reply, err := client.Get("https://cloudresourcemanager.googleapis.com/v1/projects")
	if err != nil { fmt.Fprintln(os.Stderr, err); os.Exit(1) }
	fmt.Println(reply.StatusCode)
}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Folders that everybody may enter; a CA that is trusted, a certificate."""
    folder = pathlib.Path(tmp_path_factory.mktemp("escape"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                    "/CN=real cloud", "-keyout", folder / "key.pem", "-out", folder / "ca.pem", "-addext",
                    "subjectAltName=" + ",".join("DNS:" + name for name in NAMES)],
                   check=True, capture_output=True)
    (folder / "hosts").write_text("127.0.0.1 localhost " + " ".join(NAMES[:-1]) +
                                  "\n169.254.169.254 metadata.google.internal metadata\n")
    (folder / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    return folder


class RealCloud:
    """A network and mount namespace in which all names lead to real_cloud.py."""

    def __init__(self, place, log):
        self.log = log
        script = (f"ip link set lo up && ip addr add 169.254.169.254/32 dev lo && "
                  f"mount --bind {place}/hosts /etc/hosts && "
                  f"(mount --bind {place}/resolv.conf /etc/resolv.conf || true) && "
                  f"exec {sys.executable} {HERE}/real_cloud.py {log} {place}/ca.pem {place}/key.pem")
        flags = ["--net", "--mount"] + ([] if os.getuid() == 0 else ["--map-root-user"])
        self.process = subprocess.Popen(["unshare", *flags, "bash", "-c", script], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if self.process.stdout.readline() != "ready\n":
            self.process.stdin.close()
            pytest.skip("no network namespace can be made here: " + self.process.stderr.read())

    def run(self, command, environment, timeout=120):
        flags = ["-n", "-m"] + ([] if os.getuid() == 0 else ["-U", "--preserve-credentials"])
        process = subprocess.Popen(["nsenter", "-t", str(self.process.pid), *flags, "--", *map(str, command)],
                                   env=environment, cwd="/", text=True, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
        return out, err

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)


@pytest.fixture(scope="module")
def go_program(tmp_path_factory):
    go = shutil.which("go")
    if not go:
        pytest.skip("go is not installed")
    folder = tmp_path_factory.mktemp("go")
    (folder / "main.go").write_text(GO)
    environment = dict(os.environ, GOFLAGS="-mod=mod", GOTOOLCHAIN="local")
    for command in (["mod", "init", "planted"], ["get", "golang.org/x/oauth2@v0.21.0"], ["build", "-o", "planted", "."]):
        done = subprocess.run([go, *command], cwd=folder, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            pytest.skip("the Go program cannot be built here: " + done.stderr[-300:])
    return folder / "planted"


@pytest.fixture(params=["gcloud", "gsutil", "python", "node", "go", "curl"])
def client(request):
    """A command that lists something of the cloud."""
    name = request.param
    if name in ("gcloud", "gsutil", "curl") and not shutil.which(name):
        pytest.skip(f"{name} is not installed")
    if name == "gcloud":
        return name, ["gcloud", "projects", "list", "--quiet"]
    if name == "gsutil":
        return name, ["gsutil", "-o", "Boto:num_retries=1", "ls", "-p", "planted-project"]
    if name == "python":
        return name, [environments.interpreter_or_skip("newest"), "-c", PYTHON]
    if name == "node":
        return name, ["env", f"NODE_PATH={environments.node_folder_or_skip()}/node_modules", "node", "-e", NODE]
    if name == "go":
        return name, [request.getfixturevalue("go_program")]
    # curl reads ~/.netrc when it is told to, whatever NETRC says (until 8.16).
    return name, ["bash", "-c", 'curl -sS --netrc-file "$NETRC" https://us-central1-python.pkg.dev/p/r/simple/']


@pytest.fixture
def world(place, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    environment = {k: v for k, v in os.environ.items()
                   if k not in PROXIES and not k.startswith(("BRUME_", "CLOUDSDK_", "GOOGLE_"))}
    # The real cloud is trusted: a client that reaches it will talk to it.
    environment.update({name: str(place / "ca.pem") for name in (
        "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS",
        "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH")})
    environment.update(planted.plant(home))
    cloud = RealCloud(place, tmp_path / "requests.jsonl")
    yield cloud, environment
    cloud.stop()


def test_without_brume_planted_credentials_arrive(client, world):
    name, command = client
    real, environment = world
    out, err = real.run(command, environment)
    assert planted.arrived(real.log), (name, out[-500:], err[-1500:], planted.requests(real.log)[:3])


def under_brume(cloud, command):
    unset = [word for proxy in PROXIES for word in ("-u", proxy)]
    return [BRUME, "run", "--data", cloud.data, "--", "env", *unset, *command]


def test_with_brume_and_the_proxy_unset_none_arrives(client, world, cloud):
    name, command = client
    real, environment = world
    secrets = {path: path.read_bytes() for path in pathlib.Path(environment["HOME"]).rglob("*") if path.is_file()}
    out, err = real.run(under_brume(cloud, command), environment)
    assert planted.arrived(real.log) == [], (name, out[-500:], err[-1500:])
    # It did get there, with what Brume gave it: the test would have seen more.
    assert planted.requests(real.log), (name, out[-500:], err[-1500:])
    for path, content in secrets.items():
        assert path.read_bytes() == content, path


PLACES = [[], ["GOOGLE_APPLICATION_CREDENTIALS"], ["CLOUDSDK_CONFIG"], ["CLOUDSDK_AUTH_ACCESS_TOKEN"],
          ["CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"], ["CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE"], ["BOTO_CONFIG"],
          ["BOTO_PATH"]]


@pytest.mark.parametrize("tool", ["gcloud", "gsutil"])
def test_each_place_alone_is_covered(tool, world, cloud):
    """Where several are planted the first one hides the others."""
    if not shutil.which(tool):
        pytest.skip(f"{tool} is not installed")
    real, environment = world
    command = (["gcloud", "storage", "ls", "--project=planted-project", "--quiet"] if tool == "gcloud" else
               ["gsutil", "-o", "Boto:num_retries=1", "ls", "-p", "planted-project"])

    def alone(places):
        kept = {name: value for name, value in environment.items() if name in places or not name.startswith(
            ("BOTO_", "CLOUDSDK_AUTH_", "CLOUDSDK_CONFIG", "GOOGLE_", "GCE_"))}
        return real.run(under_brume(cloud, command), kept)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        done = list(pool.map(alone, PLACES))
    assert planted.arrived(real.log) == [], done
