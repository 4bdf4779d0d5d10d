"""kill -9 of the real server under mixed load: what was acknowledged is there.

This shows less than the unit tests on CrashFileSystem (the page cache survives
a killed process), and more: the real server, sockets and disk."""
import http.client
import json
import os
import random
import signal
import threading
import time
import urllib.parse

import pytest

BUCKET = "killed"


class Client(threading.Thread):
    """Writes, overwrites, deletes and uploads in parts under names of its own,
    and keeps what each may hold: what was acknowledged, or is under way."""

    def __init__(self, port, number, seed):
        super().__init__(daemon=True)
        self.port, self.number = port, number
        self.random = random.Random(seed)
        self.may = {}
        self.acknowledged = 0

    def call(self, method, path, body=b"", headers=()):
        self.http.request(method, path, body, dict(headers))
        reply = self.http.getresponse()
        return reply.status, reply.headers, reply.read()

    def run(self):
        try:
            self.http = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            while True:
                self.step()
        except (OSError, http.client.HTTPException):
            pass  # the server is gone

    def step(self):
        name = f"{self.number}/{self.random.randrange(6)}"
        may = self.may.setdefault(name, {None})
        quoted = urllib.parse.quote(name, safe="")
        kind = self.random.randrange(8)
        if kind == 0:
            may.add(None)
            status, _, _ = self.call("DELETE", f"/storage/v1/b/{BUCKET}/o/{quoted}")
            assert status in (204, 404), status
            self.may[name] = {None}
        elif kind == 1:
            data = self.random.randbytes(256 << 10) + self.random.randbytes(5000)
            status, headers, _ = self.call(
                "POST", f"/upload/storage/v1/b/{BUCKET}/o?uploadType=resumable&name={quoted}", b"{}",
                [("Content-Type", "application/json")])
            assert status == 200, status
            session = urllib.parse.urlsplit(headers["Location"])
            target = f"{session.path}?{session.query}"
            status, headers, _ = self.call("PUT", target, data[:256 << 10],
                                           [("Content-Range", f"bytes 0-{(256 << 10) - 1}/*")])
            assert status == 308 and headers["Range"] == f"bytes=0-{(256 << 10) - 1}", status
            may.add(data)
            status, _, _ = self.call("PUT", target, data[256 << 10:],
                                     [("Content-Range", f"bytes {256 << 10}-{len(data) - 1}/{len(data)}")])
            assert status == 200, status
            self.may[name] = {data}
        else:
            data = self.random.randbytes(self.random.choice([1, 4096, 65536, 65537, 300_000]))
            may.add(data)
            status, _, body = self.call(
                "POST", f"/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name={quoted}", data)
            assert status == 200, body
            self.may[name] = {data}
        self.acknowledged += 1


def read(port, name):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", f"/storage/v1/b/{BUCKET}/o/{urllib.parse.quote(name, safe='')}?alt=media")
    reply = connection.getresponse()
    data = reply.read()
    connection.close()
    assert reply.status in (200, 404), (reply.status, data)
    return data if reply.status == 200 else None


def test_what_was_acknowledged_survives_kill_9(fresh_cloud):
    cloud = fresh_cloud
    seed = int(os.environ.get("BRUME_KILL_SEED", random.SystemRandom().randrange(1 << 32)))
    print("BRUME_KILL_SEED", seed)
    moments = random.Random(seed)
    connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=30)
    connection.request("POST", "/storage/v1/b", json.dumps({"name": BUCKET}), {"Content-Type": "application/json"})
    assert connection.getresponse().status == 200
    may, acknowledged = {}, 0
    for round_number in range(5):
        clients = [Client(cloud.port, f"{round_number}-{i}", moments.randrange(1 << 32)) for i in range(4)]
        for client in clients:
            client.start()
        time.sleep(0.5 + moments.random())  # the moment, not a wait for something
        cloud.stop(signal.SIGKILL)
        for client in clients:
            client.join(60)
            assert not client.is_alive()
            may.update(client.may)
            acknowledged += client.acknowledged
        cloud.start()
        for name, contents in may.items():
            found = read(cloud.port, name)
            assert found in contents, f"{name}: {len(found or b'')} bytes, seed {seed}"
            may[name] = {found}
    assert acknowledged > 100, acknowledged
    # No file is left that no object owns.
    connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=30)
    connection.request("GET", f"/storage/v1/b/{BUCKET}/o?fields=items(name,size)")
    items = json.loads(connection.getresponse().read()).get("items", [])
    large = sum(int(item["size"]) > 65536 for item in items)
    deadline = time.monotonic() + 20
    while True:  # uploads that were cut off keep their part for a week
        files = [p for p in (cloud.data / "blob").rglob("*") if p.is_file() and p.suffix != ".part"]
        if len(files) <= large + 4 * 5 or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    assert large <= len(files) <= large + 4 * 5, (len(files), large)
