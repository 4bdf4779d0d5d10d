"""What the storage suites share: buckets of their own, files with known bytes."""
import base64
import hashlib
import itertools
import os

import pytest

_numbers = itertools.count(1)


@pytest.fixture
def bucket_name():
    """A name no other test has; the bucket is the test's to make."""
    return f"brume-local-{os.getpid()}-{next(_numbers)}"


@pytest.fixture
def bucket(cloud, bucket_name):
    """A bucket, made through brume run by the owner."""
    cloud.brume("run", "--", "bash", "-c",
                'curl -sSf -X POST -H "Authorization: Bearer $(gcloud auth print-access-token)" '
                '-H "Content-Type: application/json" '
                '"https://storage.googleapis.com/storage/v1/b?project=brume-local" '
                f"""-d '{{"name": "{bucket_name}", "location": "us-central1"}}'""")
    return bucket_name


@pytest.fixture
def tree(tmp_path):
    """A small data set: its folder."""
    folder = tmp_path / "coco"
    for name, size in [("labels.csv", 40), ("train/1.jpg", 70_000), ("train/2.jpg", 3), ("val/1.jpg", 0)]:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(size))
    return folder


def md5(data):
    return base64.b64encode(hashlib.md5(data).digest()).decode()
