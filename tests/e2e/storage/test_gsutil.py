"""gsutil, unchanged: the seeds' commands."""
import re

import pytest

pytestmark = pytest.mark.client("gsutil", "env")


@pytest.fixture
def made(cloud, gsutil, bucket_name):
    cloud.run("gsutil", "mb", "-l", "us-central1", f"gs://{bucket_name}")
    return bucket_name


def names(cloud, url):
    return cloud.run("gsutil", "ls", "-r", f"{url}/**").stdout.split()


def test_mb_makes_a_regional_bucket_once(cloud, gsutil, made):
    again = cloud.run("gsutil", "mb", "-l", "us-central1", f"gs://{made}", check=False)
    assert again.returncode == 1
    assert "409" in again.stderr and "already exists" in again.stderr
    described = cloud.run("gsutil", "ls", "-L", "-b", f"gs://{made}").stdout
    assert re.search(r"Location constraint:\s+US-CENTRAL1", described)
    assert re.search(r"Location type:\s+region", described)
    bare = cloud.run("gsutil", "mb", "-l", "us-central1", "a-bare-name", check=False)
    assert bare.returncode == 1 and '"mb" command does not support "file://" URLs' in bare.stderr


def test_cp_r_copies_a_tree_both_ways(cloud, gsutil, made, tree, tmp_path):
    # The trailing slash makes gsutil nest the folder.
    cloud.run("gsutil", "-m", "cp", "-r", f"{tree}/", f"gs://{made}/datasets/coco/")
    files = sorted(p.relative_to(tree).as_posix() for p in tree.rglob("*") if p.is_file())
    assert sorted(names(cloud, f"gs://{made}")) == [f"gs://{made}/datasets/coco/coco/{f}" for f in files]
    target = tmp_path / "back"
    target.mkdir()
    cloud.run("gsutil", "-m", "cp", "-r", f"gs://{made}/datasets/coco/coco", str(target))
    for file in files:
        assert (target / "coco" / file).read_bytes() == (tree / file).read_bytes()
    top = cloud.run("gsutil", "ls", f"gs://{made}/").stdout.split()
    assert top == [f"gs://{made}/datasets/"]


def test_cp_brings_a_checkpoint_and_says_when_there_is_none(cloud, gsutil, made, tmp_path):
    checkpoint = tmp_path / "resnet50_epoch20.pt"
    checkpoint.write_bytes(bytes(range(256)) * 40_000)  # above 8 MiB: resumable
    cloud.run("gsutil", "cp", str(checkpoint), f"gs://{made}/checkpoints/")
    target = tmp_path / "checkpoints"
    target.mkdir()
    cloud.run("gsutil", "cp", f"gs://{made}/checkpoints/resnet50_epoch20.pt", f"{target}/")
    assert (target / checkpoint.name).read_bytes() == checkpoint.read_bytes()
    absent = cloud.run("gsutil", "cp", f"gs://{made}/checkpoints/none.pt", f"{target}/", check=False)
    assert absent.returncode == 1 and "No URLs matched" in absent.stderr


def test_rsync_copies_only_what_changed(cloud, gsutil, made, tree):
    url = f"gs://{made}/runs/experiment-42/"
    first = cloud.run("gsutil", "-m", "rsync", "-r", f"{tree}/", url)
    files = [p for p in tree.rglob("*") if p.is_file()]
    assert first.stderr.count("Copying file://") == len(files)
    assert len(names(cloud, f"gs://{made}/runs/experiment-42")) == len(files)
    assert cloud.run("gsutil", "-m", "rsync", "-r", f"{tree}/", url).stderr.count("Copying") == 0
    (tree / "labels.csv").write_text("other bytes")
    assert cloud.run("gsutil", "-m", "rsync", "-r", f"{tree}/", url).stderr.count("Copying file://") == 1


def test_composite_uploads_and_pipes(cloud, gsutil, made, tmp_path):
    source = tmp_path / "big.bin"
    source.write_bytes(bytes(range(251)) * 50_000)
    cloud.run("gsutil", "-o", "GSUtil:parallel_composite_upload_threshold=5M",
              "cp", str(source), f"gs://{made}/big.bin")
    stat = cloud.run("gsutil", "stat", f"gs://{made}/big.bin").stdout
    assert re.search(r"Component-Count:\s+[2-9]", stat) and "Hash (md5)" not in stat
    cloud.run("bash", "-c", f"set -o pipefail; gsutil cat gs://{made}/big.bin | gsutil cp - gs://{made}/piped.bin")
    cloud.run("gsutil", "cp", f"gs://{made}/piped.bin", str(tmp_path / "piped.bin"))
    assert (tmp_path / "piped.bin").read_bytes() == source.read_bytes()
    assert names(cloud, f"gs://{made}") == [f"gs://{made}/big.bin", f"gs://{made}/piped.bin"], "parts are gone"


def test_metadata_lists_policies_and_removal(cloud, gsutil, made, tmp_path):
    file = tmp_path / "x.txt"
    file.write_text("x")
    rules = tmp_path / "rules.json"
    rules.write_text('{"rule": [{"action": {"type": "Delete"}, "condition": {"age": 30}}]}')
    url = f"gs://{made}/x.txt"
    cloud.run("bash", "-ec", f"""
        gsutil cp {file} {url}
        gsutil setmeta -h Cache-Control:no-store -h x-goog-meta-epoch:3 {url}
        gsutil acl ch -u AllUsers:R {url}
        gsutil iam ch user:someone@example.com:objectViewer gs://{made}
        gsutil lifecycle set {rules} gs://{made}
        gsutil label ch -l team:vision gs://{made}
        gsutil versioning set on gs://{made}
        gsutil mv {url} gs://{made}/y.txt""", timeout=300)
    stat = cloud.run("gsutil", "stat", f"gs://{made}/y.txt").stdout
    assert re.search(r"Cache-Control:\s+no-store", stat) and re.search(r"epoch:\s+3", stat)
    assert '"age": 30' in cloud.run("gsutil", "lifecycle", "get", f"gs://{made}").stdout
    assert "someone@example.com" in cloud.run("gsutil", "iam", "get", f"gs://{made}").stdout
    bucket = cloud.run("gsutil", "ls", "-L", "-b", f"gs://{made}").stdout
    assert '"team": "vision"' in bucket and re.search(r"Versioning enabled:\s+True", bucket)
    cloud.run("gsutil", "-m", "rm", "-r", f"gs://{made}")
    assert f"gs://{made}/" not in cloud.run("gsutil", "ls").stdout
