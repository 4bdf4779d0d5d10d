"""curl and Node: the API as it stands on the wire."""
import json
import os
import pathlib
import subprocess

import pytest


@pytest.fixture
def curl(cloud):
    def call(*arguments, check=True):
        done = subprocess.run(["curl", "-sS", "--noproxy", "*", "-i", *arguments], capture_output=True, text=True,
                              timeout=60)
        head, _, body = done.stdout.replace("\r\n", "\n").partition("\n\n")
        while head.startswith("HTTP/1.1 100"):
            head, _, body = body.partition("\n\n")
        return int(head.split()[1]), head.lower(), body
    return call


@pytest.mark.client("curl", "emulator")
def test_objects_by_curl(cloud, curl, bucket_name):
    api = cloud.url + "/storage/v1"
    status, _, body = curl("-X", "POST", f"{api}/b", "-H", "Content-Type: application/json",
                           "-d", json.dumps({"name": bucket_name}))
    assert status == 200, body
    assert json.loads(body)["selfLink"] == f"{api}/b/{bucket_name}"
    status, _, body = curl("-X", "POST", f"{cloud.url}/upload/storage/v1/b/{bucket_name}/o?uploadType=media&name=a%2Fb",
                           "-H", "Content-Type: text/plain", "--data-binary", "hello")
    assert status == 200, body
    link = json.loads(body)["mediaLink"]
    status, head, body = curl(link)
    assert (status, body) == (200, "hello") and "x-goog-hash: crc32c=mng7ta==,md5=" in head
    assert curl("-H", "Range: bytes=1-2", link)[::2] == (206, "el")
    assert curl("-H", "Range: bytes=9-", link)[0] == 416
    assert curl(f"{api}/b/{bucket_name}/o/a%2Fb?ifGenerationMatch=7")[0] == 412
    assert curl("-I", f"{api}/b/{bucket_name}/o/a%2Fb")[0] == 200
    assert curl(f"{api}/b/{bucket_name}/o/none")[0] == 404
    status, _, body = curl("-H", "Authorization: Bearer wrong", f"{api}/b/{bucket_name}")
    assert status == 401 and "Invalid Credentials" in body
    status, _, body = curl(f"{api}/b/{bucket_name}/folders", "-d", "{}")
    assert status == 400 and "METHOD_NOT_SERVED" in body
    assert curl("-X", "DELETE", f"{api}/b/{bucket_name}/o/a%2Fb")[0] == 204


@pytest.mark.client("curl", "env")
def test_a_token_through_the_proxy(cloud, gcloud, bucket):
    done = cloud.run("bash", "-c", 'curl -sS -H "Authorization: Bearer $(gcloud auth print-access-token)" '
                     f"https://storage.googleapis.com/storage/v1/b/{bucket}")
    assert json.loads(done.stdout)["location"] == "US-CENTRAL1"


NODE = """
const {Storage} = require('@google-cloud/storage');
const options = process.env.EMULATOR ? {apiEndpoint: process.env.EMULATOR, projectId: 'brume-local'} : {};
(async () => {
  const storage = new Storage(options);
  const [bucket] = await storage.createBucket(process.argv[1], {location: 'us-central1'});
  await bucket.file('small.txt').save('small', {resumable: false, metadata: {metadata: {epoch: '3'}}});
  await bucket.file('resumable.txt').save('resumable');
  const data = Buffer.alloc(3 << 20, 'node');
  await bucket.file('chunked.bin').save(data, {resumable: true, chunkSize: 1 << 20});
  const [back] = await bucket.file('chunked.bin').download();
  if (!back.equals(data)) throw new Error('chunked bytes differ');
  const [part] = await bucket.file('chunked.bin').download({start: 4, end: 7});
  if (part.toString() !== 'node') throw new Error(part.toString());
  const [metadata] = await bucket.file('small.txt').getMetadata();
  if (metadata.metadata.epoch !== '3' || metadata.size !== '5') throw new Error(JSON.stringify(metadata));
  await bucket.file('small.txt').copy(bucket.file('copy/of small.txt'));
  const [files] = await bucket.getFiles();
  console.log(files.map((f) => f.name).join(','));
  await bucket.deleteFiles();
  await bucket.delete();
})().catch((error) => { console.error(error); process.exit(1); });
"""


@pytest.mark.client("node", "env")
@pytest.mark.parametrize("mode", ["env", "sealed", "emulator"])
def test_node_storage(cloud, node_storage, mode, bucket_name):
    arguments = ["node", "-e", NODE, bucket_name]
    if mode == "emulator":
        environment = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=120, cwd=node_storage,
                              env=dict(environment, EMULATOR=cloud.url, STORAGE_EMULATOR_HOST=cloud.url))
        assert done.returncode == 0, done.stderr
    else:
        done = cloud.run(*arguments, mode=mode, cwd=str(pathlib.Path(node_storage)))
    assert done.stdout.strip() == "chunked.bin,copy/of small.txt,resumable.txt,small.txt"
