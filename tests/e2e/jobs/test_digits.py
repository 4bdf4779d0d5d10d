"""The digits example as a job in a stand-in image: it learns, as the job's own
account, and learns nothing from wrong labels."""
import json
import sys

import pytest

from harness import TOP
from job_world import Jobs

DIGITS = TOP / "examples/digits"
IMAGE = "us-docker.pkg.dev/vertex-ai/training/pytorch-gpu.2-3.py310:latest"
sys.path.insert(0, str(DIGITS / "src"))
import evaluate  # noqa: E402


@pytest.fixture(scope="module")
def digits(cloud):
    done = cloud.brume("images", "stand-in", IMAGE, check=False, timeout=900)
    if done.returncode != 0:
        pytest.skip(f"no stand-in image can be made here: {done.stderr.strip().splitlines()[-1]}")
    jobs = Jobs(cloud, "digits-test-1").make_project()
    jobs.rest("POST", "https://storage.googleapis.com/storage/v1/b?project=digits-test-1",
              {"name": "digits-test-1-data"})
    cloud.brume("cp", "--project", jobs.project, DIGITS / "data/digits.csv.gz",
                "gs://digits-test-1-data/data/digits.csv.gz")
    return jobs


def train(jobs, folder, *flags):
    """Runs the example; its job and the accuracy of the model it left."""
    job = jobs.submit(IMAGE, command=["python3", "-c", (DIGITS / "src/train.py").read_text()], args=[
        "--data=gs://digits-test-1-data/data/digits.csv.gz",
        f"--model-dir=gs://digits-test-1-data/{folder}", *flags])
    found = jobs.await_end(job, seconds=180)
    assert found["state"] == "JOB_STATE_SUCCEEDED", (found, jobs.lines(job))
    model = json.loads(jobs.cloud.brume("cat", "--project", jobs.project,
                                        f"gs://digits-test-1-data/{folder}/model.json").stdout)
    rows = evaluate.held_out(DIGITS / "data/digits.csv.gz")
    assert len(rows) == 360
    return job, evaluate.accuracy(model, rows)


def test_a_model_is_trained_and_measured_again(digits):
    job, accuracy = train(digits, "model")
    assert accuracy >= 0.9
    lines = digits.lines(job)
    assert any(line.startswith("epoch 20/20 loss=") for line in lines), lines
    assert f"accuracy {accuracy:.4f}; model written to gs://digits-test-1-data/model/model.json" in lines


def test_wrong_labels_teach_nothing(digits):
    _, accuracy = train(digits, "shuffled", "--shuffle-labels", "--epochs=10")
    assert accuracy <= 0.3
