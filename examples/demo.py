#!/usr/bin/env python3
"""Trains a model on a local Google Cloud, from nothing.

Starts a fresh cloud in a temporary folder, makes a project, an account and a
bucket in it, uploads images, runs a training job, downloads the model and
measures it. First with Brume's own commands, then the same steps with gcloud,
gsutil and the Vertex AI SDK where these are installed. Run it by ./x demo.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
DIGITS = TOP / "examples/digits"
DATA = DIGITS / "data/digits.csv.gz"
IMAGE = "us-docker.pkg.dev/vertex-ai/training/sklearn-cpu.1-6:latest"
REGION = "us-central1"
PROJECT = "digits-demo"
BUCKET = "digits-demo-data"
ACCOUNT = f"trainer@{PROJECT}.iam.gserviceaccount.com"
EPOCHS = 12
JOB_LIMIT = 600  # seconds a job of the demo may take

terminal = sys.stderr.isatty()


def say(text, dim=False):
    print(f"\033[2m{text}\033[0m" if dim and terminal else text, file=sys.stderr, flush=True)


class Step:
    """A line with its time; on a terminal it moves while the step runs."""

    def __init__(self, title):
        self.title, self.part, self.done = title, None, threading.Event()

    def _draw(self):
        width, ticks = 24, 0
        while not self.done.wait(0.1):
            ticks += 1
            filled = int(width * self.part) if self.part is not None else None
            bar = "".join("=" if (filled is not None and i < filled) or
                          (filled is None and (ticks + i) % width < 4) else " " for i in range(width))
            sys.stderr.write(f"\r\033[K  {self.title:44} [{bar}] {time.monotonic() - self.begun:5.1f} s")
            sys.stderr.flush()

    def __enter__(self):
        self.begun = time.monotonic()
        self.drawer = threading.Thread(target=self._draw, daemon=True)
        if terminal:
            self.drawer.start()
        return self

    def __exit__(self, kind, value, trace):
        self.done.set()
        if terminal:
            self.drawer.join()
            sys.stderr.write("\r\033[K")
        say(f"  {self.title:44} {'FAILED' if kind else '':6} {time.monotonic() - self.begun:6.1f} s")


class Demo:
    def __init__(self, folder, brume, shuffle):
        self.folder, self.brume, self.shuffle = folder, brume, shuffle
        self.environment = dict(os.environ, BRUME_DATA=str(folder / "cloud"))
        self.environment.pop("BRUME_PORT", None)
        self.job = None

    def run(self, *command, show=True, line=None):
        """Its output; a failure ends the demo with its last lines. `line` is
        given each line of the output as it comes."""
        command = [str(part) for part in command]
        if show:
            shown = ["brume" if part == str(self.brume) else part for part in command]
            say("  $ " + " ".join(f"'{part}'" if " " in part else part for part in shown), dim=True)
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                   errors="replace", env=self.environment, cwd=self.folder,
                                   stdin=subprocess.DEVNULL)
        output = []
        for text in process.stdout:
            output.append(text)
            if line:
                line(text.rstrip("\n"))
        if process.wait() != 0:
            raise SystemExit(f"demo: exit code {process.returncode} of: {' '.join(command)}\n"
                             + "".join(output[-20:]))
        return "".join(output)

    def inside(self, *command, **kwargs):
        return self.run(self.brume, "run", "--project", PROJECT, "--", *command, **kwargs)

    def train_arguments(self, model):
        return ["--data", f"gs://{BUCKET}/data/digits.csv.gz", "--model-dir", model, "--epochs", EPOCHS,
                *(["--shuffle-labels"] if self.shuffle else [])]

    def epoch(self, step, text):
        found = re.search(r"epoch (\d+)/(\d+)", text)
        if found:
            step.part = int(found[1]) / int(found[2])
            if not terminal:
                say("    " + text, dim=True)

    def measure(self, model):
        return float(self.run(sys.executable, DIGITS / "src/evaluate.py", model, DATA, show=False).split()[-1])

    def own_commands(self):
        with Step("start a fresh cloud"):
            self.run(self.brume, "up", "-d", "--port", "0")
        with Step("make a small training image"):
            self.run(self.brume, "images", "stand-in", IMAGE)
        with Step("make project, APIs, account and bucket"):
            self.inside(sys.executable, DIGITS / "set_up.py", "--project", PROJECT, "--bucket", BUCKET)
        with Step("upload the images"):
            self.run(self.brume, "cp", "--project", PROJECT, DATA, f"gs://{BUCKET}/data/digits.csv.gz")
        with Step("train") as step:
            output = self.run(
                self.brume, "train", "submit", "--project", PROJECT, "--script", DIGITS / "src/train.py",
                "--image", IMAGE, "--bucket", BUCKET, "--service-account", "trainer", "-f", "--",
                *self.train_arguments(f"gs://{BUCKET}/model"), line=lambda text: self.epoch(step, text))
            self.job = re.search(r"job (\d+) was submitted", output)[1]
        with Step("download the model and measure it"):
            self.run(self.brume, "cp", "--project", PROJECT, f"gs://{BUCKET}/model/model.json",
                     self.folder / "model.json")
            return self.measure(self.folder / "model.json")

    def gcloud(self):
        with Step("gcloud: look at project, account and APIs"):
            self.inside("gcloud", "projects", "describe", PROJECT)
            self.inside("gcloud", "iam", "service-accounts", "describe", ACCOUNT)
            self.inside("gcloud", "services", "enable", "compute.googleapis.com")
        with Step("gcloud: upload and submit"):
            self.inside("gcloud", "storage", "cp", DIGITS / "src/train.py", f"gs://{BUCKET}/code/train.py")
            fetch = ("import json,sys,urllib.request as u;"
                     "t=json.load(u.urlopen(u.Request('http://metadata.google.internal/computeMetadata/v1/"
                     "instance/service-accounts/default/token',headers={'Metadata-Flavor':'Google'})))"
                     "['access_token'];"
                     f"s=u.urlopen(u.Request('https://storage.googleapis.com/storage/v1/b/{BUCKET}/o/"
                     "code%2Ftrain.py?alt=media',headers={'Authorization':'Bearer '+t})).read();"
                     "sys.argv=['train.py']+sys.argv[1:];exec(compile(s,'train.py','exec'))")
            config = self.folder / "job.json"
            config.write_text(json.dumps({
                "serviceAccount": ACCOUNT,
                "workerPoolSpecs": [{
                    "machineSpec": {"machineType": "n1-standard-4"}, "replicaCount": 1,
                    "containerSpec": {"imageUri": IMAGE, "command": ["python3", "-u", "-c", fetch],
                                      "args": [str(part) for part in
                                               self.train_arguments(f"gs://{BUCKET}/model-gcloud")]}}]}))
            name = self.inside("gcloud", "ai", "custom-jobs", "create", f"--region={REGION}",
                               "--display-name=digits", f"--config={config}", "--format=value(name)")
            job = re.search(r"projects/\d+/locations/[^/\s]+/customJobs/\d+", name)[0]
        with Step("gcloud: wait for the job"):
            begun = time.monotonic()
            while True:
                state = self.inside("gcloud", "ai", "custom-jobs", "describe", job, f"--region={REGION}",
                                    "--format=value(state)", show=False).split()[-1]
                if state in ("JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED"):
                    break
                if time.monotonic() - begun > JOB_LIMIT:
                    raise SystemExit(f"demo: {job} is still {state}")
                time.sleep(1)
            if state != "JOB_STATE_SUCCEEDED":
                raise SystemExit(f"demo: {job} ended as {state}")
        with Step("gcloud: read its log"):
            self.inside("gcloud", "ai", "custom-jobs", "stream-logs", job, f"--region={REGION}",
                        "--polling-interval=1")
        with Step("gcloud: download and measure"):
            self.inside("gcloud", "storage", "cp", f"gs://{BUCKET}/model-gcloud/model.json",
                        self.folder / "model-gcloud.json")
            return self.measure(self.folder / "model-gcloud.json")

    def gsutil(self):
        with Step("gsutil: list and copy"):
            self.inside("gsutil", "ls", "-r", f"gs://{BUCKET}")
            self.inside("gsutil", "cp", f"gs://{BUCKET}/model/model.json", self.folder / "model-gsutil.json")
            return self.measure(self.folder / "model-gsutil.json")

    def sdk(self, python):
        with Step("Vertex AI SDK: CustomJob.from_local_script"):
            program = (
                "import sys\nfrom google.cloud import aiplatform\n"
                f"aiplatform.init(project={PROJECT!r}, location={REGION!r}, staging_bucket='gs://{BUCKET}')\n"
                "job = aiplatform.CustomJob.from_local_script(display_name='digits-sdk', "
                f"script_path={str(DIGITS / 'src/train.py')!r}, container_uri={IMAGE!r}, "
                "args=sys.argv[1:], replica_count=1, machine_type='n1-standard-4')\n"
                f"job.run(service_account={ACCOUNT!r})\nprint(job.state)\n")
            path = self.folder / "submit.py"
            path.write_text(program)
            self.inside(python, path, *self.train_arguments(f"gs://{BUCKET}/model-sdk"))
            self.run(self.brume, "cp", "--project", PROJECT, f"gs://{BUCKET}/model-sdk/model.json",
                     self.folder / "model-sdk.json", show=False)
            return self.measure(self.folder / "model-sdk.json")


def sdk_python():
    """A Python that has the SDK, or why there is none."""
    for python in filter(None, [os.environ.get("BRUME_DEMO_PYTHON"), shutil.which("python3")]):
        found = subprocess.run([python, "-c", "import google.cloud.aiplatform"], capture_output=True)
        if found.returncode == 0:
            return python, None
    return None, "google-cloud-aiplatform is not installed (set BRUME_DEMO_PYTHON to a Python that has it)"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--keep", metavar="DIR", help="work in this folder and leave it there")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--own-only", action="store_true", help="only Brume's own commands")
    parser.add_argument("--shuffle-labels", action="store_true", help="train on wrong labels")
    options = parser.parse_args()
    brume = pathlib.Path(os.environ.get("BRUME_BINARY", TOP / "build/brume"))
    folder = pathlib.Path(options.keep or tempfile.mkdtemp(prefix="brume-demo-")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    demo = Demo(folder, brume, options.shuffle_labels)
    accuracies, skipped = {}, {}
    try:
        say("With Brume's own commands:")
        accuracies["brume"] = demo.own_commands()
        if not options.own_only:
            say("The same with Google's tools:")
            for tool in ("gcloud", "gsutil"):
                if shutil.which(tool):
                    accuracies[tool] = getattr(demo, tool)()
                else:
                    skipped[tool] = "not installed"
            python, why = sdk_python()
            if python:
                accuracies["sdk"] = demo.sdk(python)
            else:
                skipped["sdk"] = why
        for tool, why in skipped.items():
            say(f"  {tool}: skipped, {why}")
        calls = json.loads(demo.run(brume, "calls", "--of", f"job/{demo.job}", "--json", show=False))
        table = demo.run(brume, "calls", "--of", f"job/{demo.job}", show=False)
    finally:
        subprocess.run([str(brume), "down"], env=demo.environment, capture_output=True)
    if options.json:
        print(json.dumps({"accuracy": accuracies, "skipped": skipped, "job": demo.job, "calls": calls,
                          "model": str(folder / "model.json"), "folder": str(folder)}, indent=2))
    else:
        print(f"\nWhat the job asked of the cloud:\n{table}")
        for tool, accuracy in accuracies.items():
            print(f"accuracy of the model trained with {tool:8} {accuracy:.4f} on held-out images")
        kept = folder / "model.json"
        if not options.keep:
            kept = pathlib.Path(tempfile.gettempdir()) / "brume-demo-model.json"
            shutil.copy(folder / "model.json", kept)
        print(f"\nThe model lies in {kept}. By hand:\n"
              "  build/brume up -d\n"
              f"  build/brume images stand-in {IMAGE}\n"
              f"  build/brume run -- python3 examples/digits/set_up.py --project {PROJECT} --bucket {BUCKET}\n"
              f"  build/brume cp examples/digits/data/digits.csv.gz gs://{BUCKET}/data/digits.csv.gz\n"
              f"  build/brume train submit --project {PROJECT} --script examples/digits/src/train.py \\\n"
              f"    --service-account trainer --bucket {BUCKET} -f -- \\\n"
              f"    --data gs://{BUCKET}/data/digits.csv.gz --model-dir gs://{BUCKET}/model")
    if not options.keep and not options.json:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
