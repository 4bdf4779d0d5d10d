"""gcloud storage, unchanged."""
import json

import pytest

pytestmark = pytest.mark.client("gcloud", "env")


@pytest.fixture
def made(cloud, gcloud, bucket_name):
    cloud.run("gcloud", "storage", "buckets", "create", f"gs://{bucket_name}", "--location=us-central1",
              "--uniform-bucket-level-access")
    return bucket_name


def storage(cloud, *arguments, **kwargs):
    return cloud.run("gcloud", "storage", *arguments, **kwargs)


def listed(cloud, url):
    out = storage(cloud, "ls", "-r", url).stdout.split()
    return [line for line in out if line.startswith("gs://") and not line.endswith((":", "/"))]


def test_cp_ls_and_rm(cloud, gcloud, made, tree, tmp_path):
    storage(cloud, "cp", "-r", str(tree), f"gs://{made}/datasets/")
    files = sorted(p.relative_to(tree).as_posix() for p in tree.rglob("*") if p.is_file())
    assert sorted(listed(cloud, f"gs://{made}")) == [f"gs://{made}/datasets/coco/{f}" for f in files]
    target = tmp_path / "back"
    target.mkdir()
    storage(cloud, "cp", "-r", f"gs://{made}/datasets/coco", str(target))
    for file in files:
        assert (target / "coco" / file).read_bytes() == (tree / file).read_bytes()
    (tree / "labels.csv").write_text("a,b\n")
    storage(cloud, "cp", str(tree / "labels.csv"), f"gs://{made}/datasets/coco/labels.csv")
    assert storage(cloud, "cat", f"gs://{made}/datasets/coco/labels.csv").stdout == "a,b\n"
    described = json.loads(storage(cloud, "objects", "describe", f"gs://{made}/datasets/coco/train/1.jpg",
                                   "--format=json").stdout)
    assert described["size"] == 70000 and described["crc32c_hash"] and described["md5_hash"]
    storage(cloud, "rm", f"gs://{made}/datasets/coco/labels.csv")
    gone = storage(cloud, "cp", f"gs://{made}/datasets/coco/labels.csv", str(target), check=False)
    assert gone.returncode == 1 and "matched no objects" in gone.stderr
    storage(cloud, "rm", "-r", f"gs://{made}")
    assert storage(cloud, "ls", f"gs://{made}", check=False).returncode == 1


def test_parallel_composite_upload_and_sliced_download(cloud, gcloud, made, tmp_path):
    source = tmp_path / "huge.bin"
    block = bytes(range(256)) * 4096
    with open(source, "wb") as file:
        for i in range(160):  # 160 MiB, no two alike
            file.write(i.to_bytes(8, "big") + block[8:])
    storage(cloud, "cp", str(source), f"gs://{made}/huge.bin", timeout=300)
    described = json.loads(storage(cloud, "objects", "describe", f"gs://{made}/huge.bin", "--format=json").stdout)
    assert described["component_count"] > 1 and "md5_hash" not in described
    assert listed(cloud, f"gs://{made}") == [f"gs://{made}/huge.bin"], "parts are gone"
    storage(cloud, "cp", f"gs://{made}/huge.bin", str(tmp_path / "back.bin"), timeout=300)
    with open(source, "rb") as a, open(tmp_path / "back.bin", "rb") as b:
        while piece := a.read(1 << 20):
            assert b.read(1 << 20) == piece
        assert not b.read(1)


def test_rsync_mv_and_buckets(cloud, gcloud, made, tree, tmp_path):
    storage(cloud, "rsync", "-r", str(tree), f"gs://{made}/runs")
    again = storage(cloud, "rsync", "-r", str(tree), f"gs://{made}/runs")
    assert "Copying" not in again.stderr
    target = tmp_path / "synced"
    target.mkdir()
    storage(cloud, "rsync", "-r", f"gs://{made}/runs", str(target))
    assert (target / "train/1.jpg").read_bytes() == (tree / "train/1.jpg").read_bytes()
    storage(cloud, "mv", f"gs://{made}/runs/labels.csv", f"gs://{made}/moved.csv")
    assert f"gs://{made}/runs/labels.csv" not in listed(cloud, f"gs://{made}")
    storage(cloud, "objects", "update", f"gs://{made}/moved.csv", "--cache-control=no-store")
    assert json.loads(storage(cloud, "objects", "describe", f"gs://{made}/moved.csv",
                              "--format=json").stdout)["cache_control"] == "no-store"
    rules = tmp_path / "rules.json"
    rules.write_text('{"rule": [{"action": {"type": "Delete"}, "condition": {"age": 30}}]}')
    storage(cloud, "buckets", "update", f"gs://{made}", f"--lifecycle-file={rules}", "--versioning")
    bucket = json.loads(storage(cloud, "buckets", "describe", f"gs://{made}", "--format=json").stdout)
    assert bucket["lifecycle_config"]["rule"][0]["condition"]["age"] == 30 and bucket["versioning_enabled"]
    assert bucket["location"] == "US-CENTRAL1" and bucket["uniform_bucket_level_access"]
    storage(cloud, "buckets", "add-iam-policy-binding", f"gs://{made}", "--member=user:a@example.com",
            "--role=roles/storage.objectViewer")
    assert "a@example.com" in storage(cloud, "buckets", "get-iam-policy", f"gs://{made}").stdout
    assert "@gs-project-accounts.iam.gserviceaccount.com" in storage(cloud, "service-agent").stdout
