"""google-cloud-storage, unchanged: the oldest version that the seeds allow up to
the newest, through brume run, sealed, and emulator style."""
import os
import pathlib
import subprocess

import pytest

SCRIPT = pathlib.Path(__file__).with_name("python_client.py")


@pytest.fixture(scope="module", params=["env", "sealed", "emulator"])
def mode(request):
    return request.param


@pytest.mark.client("python", "env")
def test_a_training_projects_calls(cloud, python, mode, bucket_name, tmp_path):
    """upload_model_artifact and download_checkpoint as the seeds have them, and
    what else a project does: see python_client.py."""
    arguments = [python, str(SCRIPT), "-", bucket_name, str(tmp_path)]
    if mode == "emulator":
        environment = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=180,
                              env=dict(environment, STORAGE_EMULATOR_HOST=cloud.url))
        assert done.returncode == 0, done.stdout + done.stderr[-3000:] + cloud.log()
    else:
        done = cloud.run(*arguments, mode=mode)
    lines = done.stdout.splitlines()
    assert lines[-1] == "done" and len(lines) == 16, done.stdout
