"""gcloud ai custom-jobs and gcloud logging, unchanged, over jobs that run."""
import json
import os
import signal
import subprocess
import time

import pytest

from vertex_world import DIGITS, IMAGE, REGION, TOP, jobs, until  # noqa: F401

ENDED = ("JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED")


def _gcloud(jobs, *arguments, **kwargs):
    return jobs.cloud.run("gcloud", *arguments, "--project", jobs.project, **kwargs)


def create(jobs, tmp_path, command, args=(), image=IMAGE, **spec):
    config = tmp_path / "job.json"
    config.write_text(json.dumps({
        "serviceAccount": jobs.account,
        "workerPoolSpecs": [{"machineSpec": {"machineType": "n1-standard-4"}, "replicaCount": 1,
                             "containerSpec": {"imageUri": image, "command": command, "args": list(args)}}],
        **spec}))
    job = json.loads(_gcloud(jobs, "ai", "custom-jobs", "create", f"--region={REGION}", "--display-name=t",
                            f"--config={config}", "--format=json").stdout)
    return job["name"]


def describe(jobs, name):
    return json.loads(_gcloud(jobs, "ai", "custom-jobs", "describe", name, f"--region={REGION}",
                             "--format=json").stdout)


def wait(jobs, name, *states, seconds=90):
    def reached():
        job = describe(jobs, name)
        return job if job["state"] in (states or ENDED) else None
    return until(reached, seconds)


@pytest.mark.client("gcloud", "env")
def test_create_list_describe_stream_logs(jobs, gcloud, tmp_path):
    name = create(jobs, tmp_path, ["python3", "-u", "-c"],
                  ["import sys; print('first'); print('second'); print('wrong', file=sys.stderr)"])
    assert name.startswith(f"projects/{jobs.number}/locations/{REGION}/customJobs/")
    job = wait(jobs, name)
    assert job["state"] == "JOB_STATE_SUCCEEDED"
    assert job["startTime"] and job["endTime"]
    assert job["jobSpec"]["workerPoolSpecs"][0]["replicaCount"] == "1"

    listed = json.loads(_gcloud(jobs, "ai", "custom-jobs", "list", f"--region={REGION}", "--limit=10",
                                "--format=json").stdout)
    assert name in [one["name"] for one in listed] and len(listed) <= 10

    begun = time.monotonic()
    done = _gcloud(jobs, "ai", "custom-jobs", "stream-logs", name, f"--region={REGION}",
                   "--polling-interval=1")
    assert time.monotonic() - begun < 30
    lines = [line for line in done.stdout.splitlines() if "workerpool0-0" in line]
    told = [line.rsplit("\t", 1)[1] for line in lines]
    # Two pipes: what went to stderr may overtake stdout, never itself.
    assert sorted(told) == ["first", "second", "wrong"]
    assert told.index("first") < told.index("second")
    assert "Job completed successfully." in done.stdout

    entries = json.loads(_gcloud(
        jobs, "logging", "read", f'resource.type="ml_job" AND resource.labels.job_id="{name.rsplit("/", 1)[1]}" '
        'AND severity>=ERROR', "--format=json").stdout)
    assert [entry["jsonPayload"]["message"] for entry in entries] == ["wrong"]
    newest = json.loads(_gcloud(
        jobs, "logging", "read", f'resource.labels.job_id="{name.rsplit("/", 1)[1]}"', "--limit=1",
        "--format=json").stdout)
    assert newest[0]["textPayload"] == "Job completed successfully."


@pytest.mark.client("gcloud", "env")
def test_lines_of_a_running_job_appear_within_ten_seconds(jobs, gcloud, tmp_path):
    name = create(jobs, tmp_path, ["python3", "-u", "-c"],
                  ["import time\nfor i in range(600):\n  print('tick', i, time.time()); time.sleep(1)"])
    wait(jobs, name, "JOB_STATE_RUNNING")
    environment = dict(os.environ, BRUME_DATA=str(jobs.cloud.data), PYTHONUNBUFFERED="1")
    binary = os.environ.get("BRUME_BINARY", str(TOP / "build/brume"))
    stream = subprocess.Popen(
        [binary, "run", "--", "gcloud", "ai", "custom-jobs", "stream-logs", name, f"--region={REGION}",
         "--polling-interval=1", "--project", jobs.project],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment, start_new_session=True)
    try:
        seen = 0
        deadline = time.monotonic() + 60
        for line in stream.stdout:
            if "tick" in line:
                # gcloud itself asks only for what is five seconds old.
                assert time.time() - float(line.split()[-1]) < 15 or seen < 5
                seen += 1
            if seen >= 8 or time.monotonic() > deadline:
                break
        assert seen >= 8
    finally:
        os.killpg(stream.pid, signal.SIGINT)
        stream.wait(20)
    jobs.cloud.brume("train", "cancel", "--project", jobs.project, name)
    job = wait(jobs, name)
    assert job["state"] == "JOB_STATE_CANCELLED"


@pytest.mark.client("gcloud", "env")
def test_both_names_of_a_prebuilt_image_resolve(jobs, gcloud, tmp_path):
    """The published name carries the Python version; the seeds' has none."""
    name = create(jobs, tmp_path, ["true"], image=IMAGE.replace("2-3:", "2-3.py310:"))
    assert wait(jobs, name)["state"] == "JOB_STATE_SUCCEEDED"
    unknown = create(jobs, tmp_path, ["true"], image="us-docker.pkg.dev/nobody/nothing/none:1")
    job = wait(jobs, unknown)
    assert job["state"] == "JOB_STATE_FAILED"
    assert "nothing/none" in job["error"]["message"]


@pytest.mark.client("gcloud", "env")
def test_cancel(jobs, gcloud, tmp_path):
    name = create(jobs, tmp_path, ["sleep"], ["600"])
    wait(jobs, name, "JOB_STATE_RUNNING")
    done = _gcloud(jobs, "ai", "custom-jobs", "cancel", name, f"--region={REGION}")
    assert done.returncode == 0
    job = wait(jobs, name)
    assert job["state"] == "JOB_STATE_CANCELLED"
    again = _gcloud(jobs, "ai", "custom-jobs", "cancel", name, f"--region={REGION}", check=False)
    assert again.returncode == 1


@pytest.mark.client("gcloud", "env")
def test_what_vertex_refuses_is_refused(jobs, gcloud, tmp_path):
    config = tmp_path / "job.json"
    config.write_text(json.dumps({"workerPoolSpecs": [{
        "machineSpec": {"machineType": "n1-standard-5"}, "replicaCount": 1,
        "containerSpec": {"imageUri": IMAGE}}]}))
    done = _gcloud(jobs, "ai", "custom-jobs", "create", f"--region={REGION}", "--display-name=t",
                   f"--config={config}", check=False)
    assert done.returncode == 1
    assert 'Machine type "n1-standard-5" is not supported.' in done.stderr
    missing = _gcloud(jobs, "ai", "custom-jobs", "describe", "123", f"--region={REGION}", check=False)
    assert missing.returncode == 1 and "NOT_FOUND" in missing.stderr
    alone = _gcloud(jobs, "ai", "custom-jobs", "stream-logs", f"--region={REGION}", check=False)
    assert alone.returncode == 2


@pytest.mark.client("gcloud", "env")
def test_the_job_is_its_service_account(jobs, gcloud, tmp_path):
    name = create(jobs, tmp_path, ["python3", "-c"], [
        "import json,urllib.request as u\n"
        "def meta(p): return u.urlopen(u.Request('http://metadata.google.internal/computeMetadata/v1/'+p,"
        "headers={'Metadata-Flavor':'Google'})).read().decode()\n"
        "print('email', meta('instance/service-accounts/default/email'))\n"
        "print('project', meta('project/project-id'))\n"
        "t=json.loads(meta('instance/service-accounts/default/token'))['access_token']\n"
        f"r=u.Request('https://storage.googleapis.com/upload/storage/v1/b/{jobs.bucket}/o?uploadType=media&name=by-job',"
        "data=b'hello',headers={'Authorization':'Bearer '+t,'Content-Type':'text/plain'})\n"
        "print('wrote', json.loads(u.urlopen(r).read())['name'])\n"])
    job = wait(jobs, name)
    assert job["state"] == "JOB_STATE_SUCCEEDED"
    log = jobs.cloud.brume("train", "logs", "--project", jobs.project, name).stdout
    assert f"email {jobs.account}" in log
    assert f"project {jobs.project}" in log
    assert "wrote by-job" in log
    calls = json.loads(jobs.cloud.brume("calls", "--of", f"job/{name.rsplit('/', 1)[1]}", "--json").stdout)
    assert {call["principal"] for call in calls} == {f"serviceAccount:{jobs.account}"}
    assert "storage.objects.create" in {call["permission"] for call in calls}


@pytest.mark.client("gcloud", "env")
def test_a_job_survives_the_server(fresh_cloud, gcloud, tmp_path):
    """kill -9 of the server: a running job is found again, one that ended
    meanwhile has its true result."""
    from vertex_world import Jobs
    cloud = fresh_cloud
    project = "vertex-crash"
    cloud.brume("images", "stand-in", IMAGE, timeout=600)
    cloud.run("python3", DIGITS / "set_up.py", "--project", project, "--bucket", f"{project}-data")
    jobs = Jobs(cloud, project, "", f"trainer@{project}.iam.gserviceaccount.com", f"{project}-data")
    ends = create(jobs, tmp_path, ["sh", "-c"], ["echo before; sleep 3; echo after; exit 7"])
    stays = create(jobs, tmp_path, ["sh", "-c"], ["sleep 8; echo stayed"])
    wait(jobs, ends, "JOB_STATE_RUNNING")
    wait(jobs, stays, "JOB_STATE_RUNNING")
    cloud.stop(signal.SIGKILL)
    time.sleep(4)  # the first job ends while no server is there
    cloud.start()
    job = wait(jobs, ends)
    assert job["state"] == "JOB_STATE_FAILED"
    assert "non-zero status of 7" in job["error"]["message"]
    log = cloud.brume("train", "logs", "--project", project, ends).stdout.splitlines()
    assert [line for line in log if line in ("before", "after")] == ["before", "after"]
    job = wait(jobs, stays)
    assert job["state"] == "JOB_STATE_SUCCEEDED"
    assert "stayed" in cloud.brume("train", "logs", "--project", project, stays).stdout

