"""brume images: import, list and remove."""
import json
import subprocess

from harness import BRUME
from job_world import docker_archive, import_image


def listed(cloud):
    return json.loads(cloud.brume("images", "list", "--json").stdout)


def test_a_docker_archive_is_imported_listed_and_removed(fresh_cloud):
    import_image(fresh_cloud, "example.com/team/app:v1")
    (image,) = listed(fresh_cloud)
    assert (image["name"], image["tag"]) == ("example.com/team/app", "v1")
    assert image["digest"].startswith("sha256:") and not image["standIn"]
    assert "example.com/team/app" in fresh_cloud.brume("images", "list").stdout
    fresh_cloud.stop()
    fresh_cloud.start()
    assert listed(fresh_cloud) == [image]
    fresh_cloud.brume("images", "remove", "example.com/team/app:v1")
    assert listed(fresh_cloud) == []


def test_an_archive_comes_by_pipe_under_a_name_given(fresh_cloud, tmp_path):
    archive = tmp_path / "image.tar"
    archive.write_bytes(docker_archive(None, compress=True))
    with open(archive, "rb") as file:
        done = subprocess.run(
            [str(BRUME), "images", "import", "-", "--name", "app:2", "--data", str(fresh_cloud.data)],
            stdin=file, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "docker.io/library/app:2\n"


def test_what_is_no_image_is_refused_with_one_line(fresh_cloud, tmp_path):
    for name, data, said in [
            ("text", b"hello", "read tar at byte"),
            ("untagged", docker_archive(None), "--name"),
            ("cut", docker_archive("a:1")[:100_000], "cut short")]:
        path = tmp_path / name
        path.write_bytes(data)
        done = fresh_cloud.brume("images", "import", path, check=False)
        assert done.returncode == 1 and said in done.stderr, (name, done.stderr)
        assert len(done.stderr.strip().splitlines()[-1]) < 400
    missing = fresh_cloud.brume("images", "import", tmp_path / "none", check=False)
    assert missing.returncode == 1 and "No such file" in missing.stderr
    assert fresh_cloud.brume("images", "fly", check=False).returncode == 1
    assert listed(fresh_cloud) == []
