"""brume cp, ls, cat and rm."""
import hashlib
import json
import os

import pytest


@pytest.fixture(scope="module")
def bucket(cloud):
    name = "files-of-the-commands"
    cloud.run("bash", "-c", 'curl -fsS -X POST -H "Authorization: Bearer $(gcloud auth print-access-token)" '
              '-H "Content-Type: application/json" -d \'{"name": "' + name + '"}\' '
              '"https://storage.googleapis.com/storage/v1/b?project=brume-local"')
    return name


def test_a_file_there_and_back(cloud, bucket, tmp_path):
    (tmp_path / "a.txt").write_text("hello\n")
    cloud.brume("cp", tmp_path / "a.txt", f"gs://{bucket}/dir/b.txt")
    assert cloud.brume("cat", f"gs://{bucket}/dir/b.txt").stdout == "hello\n"
    cloud.brume("cp", f"gs://{bucket}/dir/b.txt", tmp_path)
    assert (tmp_path / "b.txt").read_text() == "hello\n"
    assert cloud.brume("ls", f"gs://{bucket}").stdout == f"gs://{bucket}/dir/\n"
    assert cloud.brume("ls", f"gs://{bucket}/dir").stdout == f"gs://{bucket}/dir/b.txt\n"
    row = json.loads(cloud.brume("ls", "--json", f"gs://{bucket}/dir").stdout)[0]
    assert (row["size"], row["contentType"]) == (6, "text/plain")
    assert f"gs://{bucket}/" in cloud.brume("ls").stdout.splitlines()


def test_a_large_file_is_whole(cloud, bucket, tmp_path):
    content = os.urandom(1 << 20) * 40
    (tmp_path / "large").write_bytes(content)
    cloud.brume("cp", tmp_path / "large", f"gs://{bucket}/large")
    cloud.brume("cp", f"gs://{bucket}/large", tmp_path / "back")
    assert hashlib.sha256((tmp_path / "back").read_bytes()).digest() == hashlib.sha256(content).digest()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["back", "large"]


def test_folders_go_with_all_that_is_in_them(cloud, bucket, tmp_path):
    for name in ("x/1.txt", "x/y/2.txt", "x/empty"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("" if name.endswith("empty") else name)
    done = cloud.brume("cp", tmp_path / "x", f"gs://{bucket}/tree/", check=False)
    assert done.returncode == 1 and "add --recursive" in done.stderr
    cloud.brume("cp", "-r", tmp_path / "x", f"gs://{bucket}/tree/")
    assert cloud.brume("ls", "-r", f"gs://{bucket}/tree/").stdout.splitlines() == [
        f"gs://{bucket}/tree/x/{name}" for name in ("1.txt", "empty", "y/2.txt")]
    (tmp_path / "out").mkdir()
    cloud.brume("cp", "-r", f"gs://{bucket}/tree/x", tmp_path / "out")
    assert (tmp_path / "out/x/y/2.txt").read_text() == "x/y/2.txt"
    assert (tmp_path / "out/x/empty").read_text() == ""
    cloud.brume("cp", "-r", f"gs://{bucket}/tree/x", f"gs://{bucket}/copied/")
    assert cloud.brume("cat", f"gs://{bucket}/copied/x/1.txt").stdout == "x/1.txt"
    done = cloud.brume("rm", f"gs://{bucket}/tree", check=False)
    assert done.returncode == 1
    cloud.brume("rm", "-r", f"gs://{bucket}/tree")
    assert cloud.brume("ls", f"gs://{bucket}/tree", check=False).returncode == 1


def test_what_is_not_there_is_said(cloud, bucket, tmp_path):
    for command in (["cat", f"gs://{bucket}/nothing"], ["cp", f"gs://{bucket}/nothing", tmp_path],
                    ["rm", f"gs://{bucket}/nothing"], ["ls", "gs://no-such-bucket-here/"],
                    ["cp", tmp_path / "nothing", f"gs://{bucket}/"]):
        done = cloud.brume(*command, check=False)
        assert done.returncode == 1 and done.stderr.count("\n") == 1, (command, done)
        assert done.stderr.startswith("brume: ")
    assert list(tmp_path.iterdir()) == []
