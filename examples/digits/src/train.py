"""Trains a classifier of handwritten digits, epoch by epoch.

    python src/train.py --data gs://BUCKET/data/digits.csv.gz --epochs 20

Reads the data set from Cloud Storage and writes the model there: to
--model-dir, or to AIP_MODEL_DIR, which Vertex AI sets. Every fifth image is
held out and never trained on. The model is JSON, so that whoever downloads it
needs nothing to look at it; src/evaluate.py measures it again.

One file, since the Vertex AI SDK packs one (CustomJob.from_local_script).
Cloud Storage is reached with google-cloud-storage where that can be imported,
else with the standard library, as the account for which the metadata server
speaks.
"""
import argparse
import csv
import gzip
import io
import json
import os
import sys
import time
import urllib.parse
import urllib.request

import numpy
from sklearn.neural_network import MLPClassifier

try:
    from google.cloud import storage as gcs
except ImportError:
    gcs = None

CLASSES = list(range(10))
LARGEST_PIXEL = 16.0
HOST = "https://storage.googleapis.com"
TOKEN_URL = ("http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/"
             "default/token")
TIMEOUT = 60  # seconds


def split_uri(uri):
    bucket, _, name = uri[len("gs://"):].partition("/")
    if not bucket or not name:
        raise ValueError(f"'{uri}' is not gs://BUCKET/OBJECT")
    return bucket, name


def _token():
    request = urllib.request.Request(TOKEN_URL, headers={"Metadata-Flavor": "Google"})
    with urllib.request.urlopen(request, timeout=TIMEOUT) as reply:
        return json.load(reply)["access_token"]


def _call(url, data=None, headers=None):
    request = urllib.request.Request(url, data=data, headers=headers or {})
    request.add_header("Authorization", "Bearer " + _token())
    with urllib.request.urlopen(request, timeout=TIMEOUT) as reply:
        return reply.read()


def read(uri):
    if not uri.startswith("gs://"):
        with open(uri, "rb") as file:
            return file.read()
    bucket, name = split_uri(uri)
    if gcs:
        return gcs.Client().bucket(bucket).blob(name).download_as_bytes()
    quoted = urllib.parse.quote(name, safe="")
    return _call(f"{HOST}/storage/v1/b/{bucket}/o/{quoted}?alt=media")


def write(uri, data, content_type):
    if not uri.startswith("gs://"):
        os.makedirs(os.path.dirname(uri) or ".", exist_ok=True)
        with open(uri, "wb") as file:
            file.write(data)
        return
    bucket, name = split_uri(uri)
    if gcs:
        gcs.Client().bucket(bucket).blob(name).upload_from_string(data, content_type=content_type)
        return
    query = urllib.parse.urlencode({"uploadType": "media", "name": name})
    _call(f"{HOST}/upload/storage/v1/b/{bucket}/o?{query}", data, {"Content-Type": content_type})


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="gs://... or a file: digits.csv.gz")
    parser.add_argument("--model-dir", default=os.environ.get("AIP_MODEL_DIR", ""),
                        help="gs://.../ or a folder; default: $AIP_MODEL_DIR")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=0.002)
    parser.add_argument("--hidden", type=int, default=64, help="units of the hidden layer")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--shuffle-labels", action="store_true",
                        help="train on wrong labels: a model that learns nothing")
    return parser.parse_args()


def load(uri):
    """Images (one row each, 0 to 1) and labels; held out: every fifth."""
    rows = csv.reader(io.StringIO(gzip.decompress(read(uri)).decode()))
    table = numpy.array([[float(cell) for cell in row] for row in rows if row])
    images, labels = table[:, :-1] / LARGEST_PIXEL, table[:, -1].astype(int)
    held_out = numpy.arange(len(labels)) % 5 == 0
    return (images[~held_out], labels[~held_out]), (images[held_out], labels[held_out])


def save(classifier, metrics, folder):
    model = {
        "kind": "mlp-relu-softmax",
        "input_scale": 1 / LARGEST_PIXEL,
        "layers": [
            {"weights": weights.tolist(), "bias": bias.tolist()}
            for weights, bias in zip(classifier.coefs_, classifier.intercepts_)
        ],
        "metrics": metrics,
    }
    uri = folder.rstrip("/") + "/model.json"
    write(uri, json.dumps(model).encode(), "application/json")
    return uri


def main():
    arguments = parse_arguments()
    if not arguments.model_dir:
        sys.exit("train.py: say where the model goes: --model-dir or AIP_MODEL_DIR")
    (images, labels), (test_images, test_labels) = load(arguments.data)
    library = "google-cloud-storage" if gcs else "urllib"
    print(f"read {arguments.data} with {library}: {len(labels)} images to train on, "
          f"{len(test_labels)} held out", flush=True)
    random = numpy.random.RandomState(arguments.seed)
    if arguments.shuffle_labels:
        labels = random.permutation(labels)
    classifier = MLPClassifier(
        hidden_layer_sizes=(arguments.hidden,), learning_rate_init=arguments.learning_rate,
        batch_size=arguments.batch_size, random_state=arguments.seed)
    accuracy = 0.0
    for epoch in range(1, arguments.epochs + 1):
        began = time.monotonic()
        order = random.permutation(len(labels))
        classifier.partial_fit(images[order], labels[order], classes=CLASSES)
        accuracy = classifier.score(test_images, test_labels)
        print(f"epoch {epoch}/{arguments.epochs} loss={classifier.loss_:.4f} "
              f"accuracy={accuracy:.4f} seconds={time.monotonic() - began:.2f}", flush=True)
    uri = save(classifier, {"accuracy": accuracy, "epochs": arguments.epochs}, arguments.model_dir)
    print(f"accuracy {accuracy:.4f}; model written to {uri}", flush=True)


if __name__ == "__main__":
    main()
