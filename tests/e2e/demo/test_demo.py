"""./x demo, as a user runs it: a model that knows digits, and one that was
taught wrongly and does not."""
import json
import os
import pathlib
import subprocess
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent.parent
sys.path.insert(0, str(TOP / "examples/digits/src"))

import evaluate  # noqa: E402


def demo(folder, *flags, timeout=600):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BRUME_DATA")}
    done = subprocess.run([sys.executable, str(TOP / "examples/demo.py"), "--keep", str(folder), "--json", *flags],
                          capture_output=True, text=True, timeout=timeout, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def measured(result):
    """The accuracy recomputed from the downloaded model."""
    model = json.loads(pathlib.Path(result["model"]).read_text())
    return evaluate.accuracy(model, evaluate.held_out(TOP / "examples/digits/data/digits.csv.gz"))


def test_the_demo_trains_a_model(tmp_path):
    result = demo(tmp_path / "demo", "--own-only")
    assert measured(result) >= 0.9
    assert result["accuracy"]["brume"] == pytest.approx(measured(result), abs=1e-4)
    calls = {(call["principal"], call["permission"]) for call in result["calls"]}
    account = "serviceAccount:trainer@digits-demo.iam.gserviceaccount.com"
    assert (account, "storage.objects.get") in calls
    assert (account, "storage.objects.create") in calls


def test_shuffled_labels_teach_nothing(tmp_path):
    result = demo(tmp_path / "demo", "--own-only", "--shuffle-labels")
    assert measured(result) <= 0.3


@pytest.mark.client("gcloud", "env")
@pytest.mark.client("gsutil", "env")
def test_the_same_with_googles_tools(tmp_path, gcloud, gsutil):
    result = demo(tmp_path / "demo")
    assert result["accuracy"]["gcloud"] >= 0.9
    assert result["accuracy"]["gsutil"] >= 0.9
