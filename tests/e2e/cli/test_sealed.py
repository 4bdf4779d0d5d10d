"""brume run --sealed: a network in which there is only Brume, for clients that
ignore proxies; as root and as an ordinary user."""
import json
import os
import pathlib
import shutil

import pytest


@pytest.fixture(params=["self", "ordinary user"])
def someones_cloud(request):
    return request.getfixturevalue("cloud" if request.param == "self" else "user_cloud")


def sealed(cloud, *command, **kwargs):
    return cloud.run(*command, mode="sealed", **kwargs)


BARE = ["env", "-i", "PATH=/usr/local/bin:/usr/bin:/bin"]


def test_there_is_nothing_but_loopback_and_the_metadata_address(someones_cloud):
    done = sealed(someones_cloud, "bash", "-c", "cat /proc/net/dev; cat /etc/resolv.conf")
    devices = [line.split(":")[0].strip() for line in done.stdout.splitlines() if ":" in line]
    assert devices == ["lo"]
    assert done.stdout.endswith("nameserver 127.0.0.1\n")


def test_a_client_that_knows_nothing_of_proxies_reaches_brume(someones_cloud):
    done = sealed(someones_cloud, *BARE, "curl", "-sS", "-w", " %{http_code} %{remote_ip}",
                  "https://iam.googleapis.com/v1/nothing")
    assert done.stdout.endswith(" 404 127.0.0.1"), done
    # A name that Brume does not know is Brume's all the same.
    done = sealed(someones_cloud, *BARE, "curl", "-sS", "-w", " %{http_code}", "http://storage.googleapis.com/")
    assert done.stdout.split()[-1] in ("400", "404", "401"), done


def test_the_proxy_variables_work_inside_too(someones_cloud):
    done = sealed(someones_cloud, "curl", "-sS", "-o", "/dev/null", "-w", "%{http_connect} %{http_code}",
                  "https://iam.googleapis.com/v1/nothing")
    assert done.stdout == "200 404"


def test_it_is_the_same_user_with_the_same_files(someones_cloud):
    plain = someones_cloud.run("bash", "-c", "id -u; echo $HOME; pwd").stdout
    assert sealed(someones_cloud, "bash", "-c", "id -u; echo $HOME; pwd").stdout == plain


def test_our_folder_lies_over_the_users_gcloud_folder(someones_cloud, tmp_path):
    home = tmp_path / "home"
    (home / ".config/gcloud").mkdir(parents=True)
    (home / ".config/gcloud/mine").write_text("mine")
    if someones_cloud.user is not None:
        for folder in (home, home / ".config", home / ".config/gcloud", home / ".config/gcloud/mine"):
            os.chown(folder, someones_cloud.user.uid, someones_cloud.user.gid)
        for folder in tmp_path.parents:
            if folder.stat().st_uid == os.getuid() and folder != pathlib.Path("/"):
                folder.chmod(folder.stat().st_mode | 0o011)
        tmp_path.chmod(0o755)
    done = sealed(someones_cloud, "bash", "-c", "ls ~/.config/gcloud; echo new > ~/.config/gcloud/new",
                  env={"HOME": str(home)})
    assert "application_default_credentials.json" in done.stdout and "mine" not in done.stdout.split()
    assert sorted(path.name for path in (home / ".config/gcloud").iterdir()) == ["mine"]


def test_a_gcloud_folder_that_was_not_there_is_not_there_afterwards(cloud, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    environment = {"HOME": str(home)}
    done = sealed(cloud, "bash", "-c", "ls ~/.config/gcloud", env=environment)
    assert "credentials.db" in done.stdout
    assert list(home.iterdir()) == []


def test_offline_reaches_no_foreign_host(someones_cloud):
    done = sealed(someones_cloud, *BARE, "curl", "-sS", "https://example.com/", flags=["--offline"], check=False)
    assert done.returncode != 0
    done = sealed(someones_cloud, *BARE, "curl", "-sS", "-w", " %{http_code}", "http://example.com/",
                  flags=["--offline"])
    assert done.stdout.endswith(" 403") and "offline" in done.stdout, done


def test_metadata_is_404_without_a_service_account(someones_cloud):
    done = sealed(someones_cloud, *BARE, "curl", "-sS", "-o", "/dev/null", "-w", "%{http_code} ",
                  "-H", "Metadata-Flavor: Google", "http://169.254.169.254/computeMetadata/v1/project/project-id",
                  "-o", "/dev/null", "http://metadata.google.internal/")
    assert done.stdout.split() == ["404", "404"]


def test_the_namespaces_end_with_the_command(fresh_cloud):
    before = len(os.listdir(f"/proc/{fresh_cloud.status['pid']}/fd"))
    for _ in range(5):
        sealed(fresh_cloud, "true")
    deadline = 200
    while len(os.listdir(f"/proc/{fresh_cloud.status['pid']}/fd")) > before + 2:
        deadline -= 1
        assert deadline, "descriptors are left"
        json.loads(fresh_cloud.brume("status", "--json").stdout)


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_node_fetch_reaches_brume(someones_cloud):
    script = "fetch('https://iam.googleapis.com/v1/nothing').then(r => console.log(r.status))"
    assert sealed(someones_cloud, "node", "-e", script).stdout == "404\n"
