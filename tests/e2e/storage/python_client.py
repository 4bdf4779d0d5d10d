"""What a training project does with google-cloud-storage, run by each pinned
interpreter: python_client.py PROJECT BUCKET FOLDER. Prints one line per step;
any surprise is a traceback. No test code of ours is imported: the client sees
what a user's script sees."""
import base64
import concurrent.futures
import datetime
import gzip
import hashlib
import os
import pathlib
import sys
import time

from google.api_core import exceptions
from google.cloud import storage

PROJECT, BUCKET, FOLDER = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])


def upload_model_artifact(bucket_name, source_path, destination_blob):
    client = storage.Client()
    bucket = client.bucket(bucket_name)
    blob = bucket.blob(destination_blob)
    blob.upload_from_filename(source_path)
    return f"gs://{bucket_name}/{destination_blob}"


def download_checkpoint(bucket_name, blob_name, destination_path):
    client = storage.Client()
    bucket = client.bucket(bucket_name)
    blob = bucket.blob(blob_name)
    blob.download_to_filename(destination_path)


def raises(kind, action):
    try:
        action()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


def md5(data):
    return base64.b64encode(hashlib.md5(data).digest()).decode()


client = storage.Client(project=PROJECT) if PROJECT != "-" else storage.Client()
steps = []


def step(function):
    steps.append(function)
    return function


@step
def buckets():
    bucket = client.create_bucket(BUCKET, location="us-central1")
    assert bucket.location == "US-CENTRAL1" and bucket.location_type == "region", bucket._properties
    assert BUCKET in [b.name for b in client.list_buckets()]
    raises(exceptions.Conflict, lambda: client.create_bucket(BUCKET))
    bucket.labels = {"team": "vision", "drop": "me"}
    bucket.versioning_enabled = False
    bucket.add_lifecycle_delete_rule(age=30)
    bucket.patch()
    bucket.labels = {"team": "vision"}
    bucket.patch()
    again = client.get_bucket(BUCKET)
    assert again.labels == {"team": "vision"}, again.labels
    assert list(again.lifecycle_rules)[0]["condition"] == {"age": 30}
    assert again.metageneration == 3, again.metageneration
    again.update()
    raises(exceptions.NotFound, lambda: client.get_bucket(BUCKET + "-none"))


@step
def seed_functions():
    source = FOLDER / "model.pt"
    source.write_bytes(os.urandom(3 << 20))
    assert upload_model_artifact(BUCKET, str(source), "models/v1/model.pt") == f"gs://{BUCKET}/models/v1/model.pt"
    blob = client.bucket(BUCKET).get_blob("models/v1/model.pt")
    assert blob.md5_hash == md5(source.read_bytes()) and blob.size == 3 << 20 and blob.crc32c
    target = FOLDER / "downloaded.pt"
    download_checkpoint(BUCKET, "models/v1/model.pt", str(target))
    assert target.read_bytes() == source.read_bytes()
    raises(exceptions.NotFound, lambda: download_checkpoint(BUCKET, "models/none", str(target)))


@step
def resumable():
    data = os.urandom((9 << 20) + 12345)
    source = FOLDER / "large.bin"
    source.write_bytes(data)
    blob = client.bucket(BUCKET).blob("large.bin")
    blob.upload_from_filename(str(source))
    assert blob.size == len(data) and blob.md5_hash == md5(data)
    chunked = client.bucket(BUCKET).blob("chunked.bin", chunk_size=1 << 20)
    with open(source, "rb") as file:
        chunked.upload_from_file(file, if_generation_match=0)
    assert chunked.md5_hash == md5(data)
    chunked.reload()
    assert chunked.download_as_bytes() == data
    assert chunked.download_as_bytes(start=100, end=199) == data[100:200]
    assert client.bucket(BUCKET).blob("large.bin").download_as_bytes(start=len(data) - 5) == data[-5:]
    with chunked.open("rb") as file:
        file.seek(5 << 20)
        assert file.read(1000) == data[5 << 20:][:1000]
    with client.bucket(BUCKET).blob("streamed.txt").open("wt") as file:
        for i in range(1000):
            file.write(f"line {i}\n")
    assert client.bucket(BUCKET).blob("streamed.txt").download_as_text().endswith("line 999\n")


@step
def empty_and_odd_names():
    names = ["empty", "dir/", "a", "a/b", "per%cent", "sp ace+plus", "ünï/code", "q?x#y&z", "x" * 1024]
    for name in names:
        blob = client.bucket(BUCKET).blob(name)
        blob.upload_from_string(b"" if name in ("empty", "dir/") else name.encode())
        assert client.bucket(BUCKET).blob(name).download_as_bytes() == (b"" if name in ("empty", "dir/") else name.encode())
    listed = {b.name for b in client.list_blobs(BUCKET)}
    assert set(names) <= listed
    for name in names:
        client.bucket(BUCKET).blob(name).delete()
    raises(exceptions.BadRequest, lambda: client.bucket(BUCKET).blob("x" * 1025).upload_from_string("x"))


@step
def lists():
    bucket = client.bucket(BUCKET)
    for i in range(25):
        bucket.blob(f"data/train/{i:03}.txt").upload_from_string(str(i))
    bucket.blob("data/labels.csv").upload_from_string("a,b")
    pages = list(client.list_blobs(BUCKET, prefix="data/train/", page_size=10).pages)
    assert [p.num_items for p in pages] == [10, 10, 5]
    top = client.list_blobs(BUCKET, prefix="data/", delimiter="/")
    assert [b.name for b in top] == ["data/labels.csv"] and top.prefixes == {"data/train/"}
    few = client.list_blobs(BUCKET, prefix="data/", fields="items(name,size),nextPageToken", max_results=7)
    assert len(list(few)) == 7
    ranged = client.list_blobs(BUCKET, start_offset="data/train/020", end_offset="data/train/022")
    assert [b.name for b in ranged] == ["data/train/020.txt", "data/train/021.txt"]


@step
def metadata():
    blob = client.bucket(BUCKET).blob("data/labels.csv")
    blob.reload()
    generation = blob.generation
    blob.metadata = {"epoch": "3", "loss": "0.1"}
    blob.content_type = "text/csv"
    blob.cache_control = "no-store"
    blob.custom_time = datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc)
    blob.patch()
    blob.metadata = {"epoch": "4", "loss": None}
    blob.patch()
    blob.reload()
    assert blob.metadata == {"epoch": "4"}, blob.metadata
    assert blob.generation == generation and blob.metageneration == 3
    assert blob.content_type == "text/csv" and blob.custom_time.year == 2026
    blob.update()
    assert blob.exists() and blob.etag and blob.self_link and blob.media_link and blob.time_created


@step
def preconditions():
    blob = client.bucket(BUCKET).blob("pre.txt")
    blob.upload_from_string("1", if_generation_match=0)
    raises(exceptions.PreconditionFailed, lambda: blob.upload_from_string("2", if_generation_match=0))
    raises(exceptions.PreconditionFailed, lambda: blob.delete(if_metageneration_match=9))
    raises(exceptions.PreconditionFailed, lambda: blob.download_as_bytes(if_generation_match=1))
    raises(exceptions.PreconditionFailed, lambda: blob.patch(if_generation_match=1))
    blob.delete(if_generation_match=blob.generation)
    assert not blob.exists()


@step
def copies():
    bucket = client.bucket(BUCKET)
    source = bucket.blob("large.bin")
    source.reload()
    copy = bucket.copy_blob(source, bucket, "copies/large.bin")
    assert copy.md5_hash == source.md5_hash
    renamed = bucket.rename_blob(copy, "copies/renamed.bin")
    assert renamed.exists() and not bucket.blob("copies/large.bin").exists()
    token, rewritten, total = bucket.blob("copies/rewritten.bin").rewrite(source)
    assert token is None and rewritten == total == source.size
    renamed.update_storage_class("NEARLINE")
    renamed.reload()
    assert renamed.storage_class == "NEARLINE"
    for i in range(3):
        bucket.blob(f"part{i}").upload_from_string(bytes([65 + i]) * 70000)
    whole = bucket.blob("whole")
    whole.content_type = "application/x-parts"
    whole.compose([bucket.blob(f"part{i}") for i in range(3)])
    assert whole.component_count == 3 and whole.md5_hash is None
    assert whole.download_as_bytes() == b"A" * 70000 + b"B" * 70000 + b"C" * 70000


@step
def gzip_content():
    blob = client.bucket(BUCKET).blob("log.txt")
    text = b"the same line\n" * 10000
    blob.content_encoding = "gzip"
    blob.upload_from_string(gzip.compress(text), content_type="text/plain")
    assert blob.download_as_bytes() == text
    assert gzip.decompress(blob.download_as_bytes(raw_download=True)) == text


@step
def customers_key():
    key = os.urandom(32)
    blob = client.bucket(BUCKET).blob("secret", encryption_key=key)
    blob.upload_from_string(b"hidden")
    assert blob.download_as_bytes() == b"hidden"
    raises(exceptions.BadRequest, lambda: client.bucket(BUCKET).blob("secret").download_as_bytes())
    raises(exceptions.BadRequest,
           lambda: client.bucket(BUCKET).blob("secret", encryption_key=os.urandom(32)).download_as_bytes())


@step
def batches():
    bucket = client.bucket(BUCKET)
    names = [f"batch/{i}" for i in range(150)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: bucket.blob(n).upload_from_string(n), names))
    with client.batch():
        for name in names[:100]:
            bucket.blob(name).delete()
    assert len(list(client.list_blobs(BUCKET, prefix="batch/"))) == 50
    raises(exceptions.NotFound, lambda: bucket.delete_blobs([bucket.blob("none")]))
    bucket.delete_blobs(list(client.list_blobs(BUCKET, prefix="batch/")))


@step
def access():
    bucket = client.bucket(BUCKET)
    policy = bucket.get_iam_policy(requested_policy_version=3)
    policy.bindings.append({"role": "roles/storage.objectViewer", "members": {"user:someone@example.com"}})
    bucket.set_iam_policy(policy)
    found = bucket.get_iam_policy(requested_policy_version=3)
    assert any("user:someone@example.com" in b["members"] for b in found.bindings)
    assert bucket.test_iam_permissions(["storage.objects.get"]) == ["storage.objects.get"]
    blob = bucket.blob("pub")
    blob.upload_from_string("x")
    blob.acl.reload()
    blob.make_public()
    assert any(e["entity"] == "allUsers" for e in blob.acl)
    bucket.acl.reload()
    bucket.default_object_acl.reload()


@step
def transfers():
    try:
        from google.cloud.storage import transfer_manager
    except ImportError:
        return
    bucket = client.bucket(BUCKET)
    folder = FOLDER / "many"
    folder.mkdir(exist_ok=True)
    for i in range(12):
        (folder / f"{i}.bin").write_bytes(os.urandom(100000 + i))
    results = transfer_manager.upload_many_from_filenames(
        bucket, [f"{i}.bin" for i in range(12)], source_directory=str(folder), blob_name_prefix="many/",
        worker_type=transfer_manager.THREAD, max_workers=4)
    assert results == [None] * 12, results
    transfer_manager.download_chunks_concurrently(
        bucket.blob("large.bin"), str(FOLDER / "sliced.bin"), chunk_size=2 << 20,
        worker_type=transfer_manager.THREAD)
    assert (FOLDER / "sliced.bin").read_bytes() == (FOLDER / "large.bin").read_bytes()


@step
def versions():
    bucket = client.bucket(BUCKET)
    bucket.reload()
    bucket.versioning_enabled = True
    bucket.patch()
    blob = bucket.blob("versioned")
    blob.upload_from_string("one")
    first = blob.generation
    blob.upload_from_string("two")
    assert bucket.blob("versioned", generation=first).download_as_bytes() == b"one"
    assert len(list(client.list_blobs(BUCKET, prefix="versioned", versions=True))) == 2


@step
def deletion():
    bucket = client.bucket(BUCKET)
    raises(exceptions.Conflict, bucket.delete)
    for blob in client.list_blobs(BUCKET, versions=True):
        client.bucket(BUCKET).blob(blob.name, generation=blob.generation).delete()
    bucket.delete()
    raises(exceptions.NotFound, bucket.reload)


for function in steps:
    begun = time.monotonic()
    function()
    print(f"{function.__name__} {time.monotonic() - begun:.2f} s", flush=True)
print("done")
