"""The Vertex AI SDK, unchanged, from the pinned environments: the seeds'
submit_training_job over gRPC and REST."""
import json

import pytest

from vertex_world import DIGITS, IMAGE, REGION, jobs  # noqa: F401

# As the seeds write it, and what a test wants to see of the job.
PROGRAM = '''
import json, sys
from google.cloud import aiplatform, storage

def submit_training_job(project, location, display_name, container_uri, args,
                        machine_type="n1-standard-8", accelerator_type="NVIDIA_TESLA_T4",
                        accelerator_count=1, staging_bucket=""):
    options = {"api_transport": TRANSPORT} if TRANSPORT else {}
    aiplatform.init(project=project, location=location, staging_bucket=staging_bucket, **options)
    job = aiplatform.CustomJob.from_local_script(
        display_name=display_name, script_path=SCRIPT, container_uri=container_uri,
        args=args, machine_type=machine_type, accelerator_type=accelerator_type,
        accelerator_count=accelerator_count, replica_count=1)
    job.run(service_account=ACCOUNT, sync=False)
    return job

job = submit_training_job(PROJECT, REGION, "digits-train", IMAGE, ARGS, staging_bucket="gs://" + BUCKET)
job.wait_for_resource_creation()
early = str(job.state)
error = ""
try:
    job.wait()
except RuntimeError as failure:
    error = str(failure)
staged = [blob.name for blob in storage.Client(project=PROJECT).list_blobs(BUCKET, prefix="aiplatform-")]
print("RESULT" + json.dumps({
    "name": job.resource_name, "early": early, "state": job.state.name, "error": error,
    "start": str(job.start_time), "end": str(job.end_time), "staged": staged,
    "spec": type(job.job_spec).to_json(job.job_spec)}))
'''


def submit(jobs, python, transport, arguments, script=None, timeout=180):
    values = {"TRANSPORT": transport, "SCRIPT": str(script or DIGITS / "src/train.py"), "PROJECT": jobs.project,
              "ACCOUNT": jobs.account, "BUCKET": jobs.bucket, "IMAGE": IMAGE, "REGION": REGION,
              "ARGS": arguments}
    head = "".join(f"{name} = {value!r}\n" for name, value in values.items())
    done = jobs.cloud.run(python, "-c", head + PROGRAM, timeout=timeout)
    line = next(text for text in done.stdout.splitlines() if text.startswith("RESULT"))
    return json.loads(line[len("RESULT"):])


def takes_transport(jobs, python):
    program = ("import inspect; from google.cloud import aiplatform; "
               "print('api_transport' in inspect.signature(aiplatform.init).parameters)")
    return jobs.cloud.run(python, "-c", program).stdout.strip() == "True"


def log_of(jobs, name):
    return jobs.cloud.brume("train", "logs", "--project", jobs.project, name.rsplit("/", 1)[1]).stdout


@pytest.mark.client("python", "env")
@pytest.mark.parametrize("transport", ["", "rest"], ids=["grpc", "rest"])
def test_submit_training_job_trains(jobs, python, transport):
    if transport and not takes_transport(jobs, python):
        pytest.skip("this SDK's init() has no api_transport")
    model = f"gs://{jobs.bucket}/sdk-{transport or 'grpc'}"
    arguments = ["--data", f"gs://{jobs.bucket}/data/digits.csv.gz", "--model-dir", model, "--epochs=3",
                 "--batch-size=32"]
    result = submit(jobs, python, transport, arguments)
    assert result["state"] == "JOB_STATE_SUCCEEDED", result
    assert result["name"].startswith(f"projects/{jobs.number}/locations/{REGION}/customJobs/")
    assert "PENDING" in result["early"] or "RUNNING" in result["early"] or result["early"].split(".")[-1] in "2 3"
    assert any(name.endswith("-aiplatform_custom_trainer_script-0.1.tar.gz") for name in result["staged"])
    assert result["start"] != "None" and result["end"] != "None"

    pool = json.loads(result["spec"])["workerPoolSpecs"][0]
    assert pool["machineSpec"]["machineType"] == "n1-standard-8"
    assert int(pool["machineSpec"]["acceleratorCount"]) == 1
    assert int(pool["replicaCount"]) == 1
    assert pool["diskSpec"] == {"bootDiskType": "pd-ssd", "bootDiskSizeGb": 100}
    package = pool["pythonPackageSpec"]
    assert package["executorImageUri"] == IMAGE
    assert package["pythonModule"] == "aiplatform_custom_trainer_script.task"
    assert package["args"] == arguments

    log = log_of(jobs, result["name"])
    assert "runs on the CPU" in log
    assert "epoch 3/3" in log
    assert "--batch-size=32" in log and "--epochs=3" in log
    listing = jobs.cloud.brume("ls", "--project", jobs.project, model + "/").stdout
    assert "model.json" in listing


@pytest.mark.client("python", "env")
def test_a_failing_script_fails_the_job(jobs, python, tmp_path):
    script = tmp_path / "task.py"
    script.write_text("import sys\nprint('arguments', sys.argv[1:])\nsys.exit(3)\n")
    result = submit(jobs, python, "", ["--one", "two words"], script=script)
    assert result["state"] == "JOB_STATE_FAILED"
    assert "non-zero status of 3" in result["error"]
    assert "arguments ['--one', 'two words']" in log_of(jobs, result["name"])


@pytest.mark.client("python", "env")
def test_without_a_staging_bucket_the_sdk_refuses(jobs, python):
    program = ("from google.cloud import aiplatform\n"
               f"aiplatform.init(project={jobs.project!r}, location={REGION!r}, staging_bucket='')\n"
               "aiplatform.CustomJob.from_local_script(display_name='x', script_path="
               f"{str(DIGITS / 'src/train.py')!r}, container_uri={IMAGE!r})\n")
    done = jobs.cloud.run(python, "-c", program, check=False)
    assert done.returncode != 0
    assert "staging_bucket should be passed" in done.stderr or "staging_bucket should be set" in done.stderr
