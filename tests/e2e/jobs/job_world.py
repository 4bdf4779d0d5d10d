"""A small image and projects for jobs, without any client but Python."""
import gzip
import hashlib
import io
import itertools
import json
import os
import pathlib
import shutil
import sys
import tarfile
import time

import pytest

REST = pathlib.Path(__file__).parent / "rest.py"
REGION = "us-central1"
# One that an ordinary user may run too: that of the tests may be root's.
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
TOOLS = "cat echo env false grep head id ls nc printf sh sleep tail test touch true wget".split()


def _add(tar, name, data=b"", **fields):
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), 0o755
    for key, value in fields.items():
        setattr(info, key, value)
    tar.addfile(info, io.BytesIO(data))


def _tar(fill):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        fill(tar)
    return out.getvalue()


def docker_archive(name, config=None, compress=False):
    """What `docker save` writes of a busybox image."""
    busybox = shutil.which("busybox")
    if not busybox:
        pytest.skip("no busybox: install the package 'busybox-static'")

    def root(tar):
        _add(tar, "bin", type=tarfile.DIRTYPE)
        _add(tar, "bin/busybox", pathlib.Path(busybox).read_bytes())
        for tool in TOOLS:
            _add(tar, f"bin/{tool}", type=tarfile.SYMTYPE, linkname="busybox")
        _add(tar, "tmp", type=tarfile.DIRTYPE, mode=0o1777)

    layer = _tar(root)
    document = json.dumps({
        "os": "linux", "architecture": "amd64", "config": config or {},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
    }).encode()
    manifest = json.dumps([{"Config": "config.json", "RepoTags": [name] if name else None,
                            "Layers": ["layer/layer.tar"]}]).encode()

    def image(tar):
        _add(tar, "config.json", document)
        _add(tar, "layer/layer.tar", gzip.compress(layer) if compress else layer)
        _add(tar, "manifest.json", manifest)

    return _tar(image)


class Jobs:
    """Custom jobs of one project of a cloud."""

    def __init__(self, cloud, project):
        self.cloud = cloud
        self.project = project
        self.host = f"https://{REGION}-aiplatform.googleapis.com/v1"

    def rest(self, method, url, body=None, check=True):
        words = [PYTHON, REST, method, url] + ([json.dumps(body)] if body is not None else [])
        done = self.cloud.run(*words, check=check)
        return json.loads(done.stdout) if check else done

    def make_project(self):
        self.rest("POST", "https://cloudresourcemanager.googleapis.com/v3/projects",
                  {"projectId": self.project, "displayName": self.project})
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            found = self.rest("GET", f"https://cloudresourcemanager.googleapis.com/v3/projects/{self.project}",
                              check=False)
            if found.returncode == 0:
                break
        self.rest("POST", f"https://serviceusage.googleapis.com/v1/projects/{self.project}"
                          "/services/aiplatform.googleapis.com:enable", {})
        return self

    def submit(self, image, script=None, **container):
        if script is not None:
            container.update(command=["/bin/sh", "-c", script])
        job = self.rest(
            "POST", f"{self.host}/projects/{self.project}/locations/{REGION}/customJobs",
            {"displayName": "job", "jobSpec": {"workerPoolSpecs": [{
                "machineSpec": {"machineType": "n1-standard-4"}, "replicaCount": 1,
                "containerSpec": {"imageUri": image, **container}}]}})
        return job["name"].rsplit("/", 1)[1]

    def get(self, job):
        return self.rest("GET", f"{self.host}/projects/{self.project}/locations/{REGION}/customJobs/{job}")

    def await_end(self, job, seconds=60):
        deadline = time.monotonic() + seconds
        while True:
            found = self.get(job)
            if found["state"] in ("JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED"):
                return found
            assert time.monotonic() < deadline, found
            time.sleep(0.2)

    def lines(self, job):
        """What the job printed, oldest first."""
        reply = self.rest("POST", "https://logging.googleapis.com/v2/entries:list", {
            "resourceNames": [f"projects/{self.project}"],
            "filter": f'resource.type="ml_job" AND resource.labels.job_id="{job}"',
            "orderBy": "timestamp asc", "pageSize": 1000})
        lines = []
        for entry in reply.get("entries", []):
            payload = entry.get("jsonPayload") or {}
            text = payload.get("message") or entry.get("textPayload")
            if text:
                lines.append(text)
        return lines

    def await_line(self, job, text, seconds=60):
        deadline = time.monotonic() + seconds
        while text not in self.lines(job):
            assert time.monotonic() < deadline, (self.get(job), self.lines(job))
            time.sleep(0.2)


def import_image(cloud, name, **fields):
    archive = cloud.data.parent / "image.tar"
    archive.write_bytes(docker_archive(name, **fields))
    archive.chmod(0o644)
    cloud.brume("images", "import", archive)
    return name


_projects = itertools.count(1)


@pytest.fixture(params=["fresh_cloud", "user_cloud"])
def jobs(request):
    """A project in a cloud, run by this user or an ordinary one, with the image
    example.com/shell:1."""
    if request.param == "user_cloud" and not shutil.which("newuidmap"):
        pytest.skip("no newuidmap: install the package 'uidmap'")
    cloud = request.getfixturevalue(request.param)
    made = Jobs(cloud, f"job-test-{next(_projects)}").make_project()
    made.image = import_image(cloud, "example.com/shell:1")
    return made
