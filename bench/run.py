#!/usr/bin/env python3
"""Benchmarks, each a ratio against a peer in the same run: ./x bench [NAMES...]

Each row is the median of 5, its bound, and met or NOT MET. Brume is the release
build; nginx serves the same files; fake-gcs-server runs with its filesystem
backend (go install github.com/fsouza/fake-gcs-server@latest, found on PATH or
in FAKE_GCS_SERVER). A peer that is absent makes its rows "not measured".
"""
import argparse
import collections
import hashlib
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

TOP = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("BRUME_BENCH_BUILD", TOP / "build/release"))
RUNS = 5
GIB = 1 << 30
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class NotMeasured(Exception):
    pass


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(url, seconds=20):
    deadline = time.monotonic() + seconds
    while True:
        try:
            OPENER.open(url, timeout=2).read()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def load(port, target, **options):
    command = [str(BUILD / "bench_load"), "--port", str(port)]
    for name, value in options.items():
        for one in value if isinstance(value, list) else [value]:
            command += [f"--{name}"] + ([] if one is True else [str(one)])
    done = subprocess.run([*command, target], capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    if result["errors"]:
        raise RuntimeError(f"{result['errors']} of {result['requests']} requests failed: {target}")
    return result


def cpu_seconds(pid):
    """Of a process and its children (nginx's workers)."""
    ticks = 0
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(stat.parent.name) == pid or int(fields[1]) == pid:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def resident(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("no VmRSS")


class Server:
    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Brume(Server):
    def __init__(self, folder):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = open(folder / "brume.log", "ab")
        self.data = folder / "brume"
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [str(BUILD / "brume"), "up", "--data", str(self.data), "--port", str(self.port)],
            stdout=self.log, stderr=self.log)
        wait_for(self.url + "/storage/v1/b")

    def make_bucket(self):
        make_bucket(self.url)

    def upload(self, name, data):
        upload(self.url, name, data)


class FakeGcs(Server):
    def __init__(self, folder):
        binary = os.environ.get("FAKE_GCS_SERVER") or shutil.which("fake-gcs-server")
        if not binary:
            raise NotMeasured("fake-gcs-server is not installed")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [binary, "-scheme", "http", "-host", "127.0.0.1", "-port", str(self.port), "-backend", "filesystem",
             "-filesystem-root", str(folder / "fake"), "-log-level", "error", "-public-host", f"127.0.0.1:{self.port}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.url + "/storage/v1/b")


class Nginx(Server):
    def __init__(self, folder):
        binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
        if not binary:
            raise NotMeasured("nginx is not installed")
        self.root = folder / "www"
        self.root.mkdir()
        self.port, self.tls_port = free_port(), free_port()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-subj", "/CN=localhost", "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")],
                       check=True, capture_output=True)
        config = folder / "nginx.conf"
        config.write_text(f"""
daemon off; worker_processes auto; pid {folder}/nginx.pid; error_log {folder}/nginx.log; user root;
events {{ worker_connections 1024; }}
http {{
  sendfile on; tcp_nopush on; tcp_nodelay on; access_log off; keepalive_requests 1000000000;
  default_type application/octet-stream; open_file_cache max=20000 inactive=60s;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{self.port}; listen 127.0.0.1:{self.tls_port} ssl;
    ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
    root {self.root};
  }}
}}
""")
        self.process = subprocess.Popen([binary, "-c", str(config), "-p", str(folder)])
        wait_for(f"http://127.0.0.1:{self.port}/")


def call(url, method, path, data=None, content_type="application/json"):
    request = urllib.request.Request(url + path, data=data, method=method, headers={"Content-Type": content_type})
    return OPENER.open(request, timeout=120).read()


def make_bucket(url):
    call(url, "POST", "/storage/v1/b?project=brume-local", b'{"name": "bench"}')


def upload(url, name, data):
    call(url, "POST", f"/upload/storage/v1/b/bench/o?uploadType=media&name={name}", data, "application/octet-stream")


class Bench:
    """What the rows share: servers, made when first needed."""

    def __init__(self, folder):
        self.folder = folder
        self.made = {}

    def get(self, kind):
        if kind not in self.made:
            try:
                self.made[kind] = kind(self.folder)
                if kind is not Nginx:
                    make_bucket(self.made[kind].url)
            except NotMeasured as reason:
                self.made[kind] = reason
        if isinstance(self.made[kind], NotMeasured):
            raise self.made[kind]
        return self.made[kind]

    def stop(self):
        for server in self.made.values():
            if isinstance(server, Server):
                server.stop()


Row = collections.namedtuple("Row", "name what bound measure")
ROWS = []


def row(name, what, bound):
    """`bound` is ("<=" or ">=", number, unit); measure(bench) gives one run's value and a note."""
    def add(measure):
        ROWS.append(Row(name, what, bound, measure))
        return measure
    return add


@row("start", "start to first answer", ("<=", 150, "ms"))
def start(bench):
    brume = bench.get(Brume)
    brume.stop()
    begun = time.monotonic()
    brume.start()
    return (time.monotonic() - begun) * 1000, ""


@row("memory", "idle memory", ("<=", 60, "MB"))
def memory(bench):
    brume = bench.get(Brume)
    brume.stop()
    brume.start()
    return resident(brume.process.pid) / 1e6, ""


def small_files(bench):
    brume, nginx = bench.get(Brume), bench.get(Nginx)
    if not (nginx.root / "0").exists():
        for i in range(200):
            data = os.urandom(4096)
            (nginx.root / str(i)).write_bytes(data)
            brume.upload(f"small{i}", data)
    return brume, nginx


def small_get(bench, tls):
    brume, nginx = small_files(bench)
    options = {"connections": 16, "seconds": 3, "modulo": 200}
    ours = load(brume.port, "/download/storage/v1/b/bench/o/small{n}?alt=media",
                **options, **({"tls": "storage.googleapis.com"} if tls else {}))
    theirs = load(nginx.tls_port if tls else nginx.port, "/{n}", **options, **({"tls": "localhost"} if tls else {}))
    return ours["rate"] / theirs["rate"], f"{ours['rate']:.0f}/s, nginx {theirs['rate']:.0f}/s"


@row("get4k", "4 KiB GET over HTTP", (">=", 0.5, "x nginx"))
def get4k(bench):
    return small_get(bench, False)


@row("get4k-tls", "4 KiB GET over TLS", (">=", 0.5, "x nginx"))
def get4k_tls(bench):
    return small_get(bench, True)


def large_files(bench):
    brume, nginx = bench.get(Brume), bench.get(Nginx)
    if not (nginx.root / "large").exists():
        with open(nginx.root / "large", "wb") as file:
            for _ in range(64):
                file.write(os.urandom(GIB // 64))
        load(brume.port, "/upload/storage/v1/b/bench/o?uploadType=media&name=large", method="POST", body=GIB,
             requests=1)
    return brume, nginx


@row("get1g", "1 GiB GET over HTTP", (">=", 0.9, "x nginx"))
def get1g(bench):
    brume, nginx = large_files(bench)
    ours = load(brume.port, "/download/storage/v1/b/bench/o/large?alt=media", requests=2)
    theirs = load(nginx.port, "/large", requests=2)
    return theirs["seconds"] / ours["seconds"], \
        f"{2 / ours['seconds']:.2f} GiB/s, nginx {2 / theirs['seconds']:.2f} GiB/s"


@row("get1g-tls-cpu", "CPU seconds per GiB of GET over TLS", (None, 0, "x nginx"))
def get1g_tls(bench):
    brume, nginx = large_files(bench)
    before = cpu_seconds(brume.process.pid)
    load(brume.port, "/download/storage/v1/b/bench/o/large?alt=media", requests=1, tls="storage.googleapis.com")
    ours = cpu_seconds(brume.process.pid) - before
    before = cpu_seconds(nginx.process.pid)
    load(nginx.tls_port, "/large", requests=1, tls="localhost")
    theirs = cpu_seconds(nginx.process.pid) - before
    return ours / max(theirs, 0.01), f"{ours:.2f} s, nginx {theirs:.2f} s"


@row("put1g", "1 GiB PUT", (">=", 0.9, "x the lower of MD5 and disk"))
def put1g(bench):
    brume = bench.get(Brume)
    block = os.urandom(1 << 20)
    begun = time.monotonic()
    digest = hashlib.md5()
    for _ in range(1024):
        digest.update(block)
    md5 = time.monotonic() - begun
    begun = time.monotonic()
    with open(bench.folder / "disk", "wb") as file:
        for _ in range(1024):
            file.write(block)
        file.flush()
        os.fdatasync(file.fileno())
    disk = time.monotonic() - begun
    os.unlink(bench.folder / "disk")
    ours = load(brume.port, "/upload/storage/v1/b/bench/o?uploadType=media&name=put", method="POST", body=GIB,
                requests=1)["seconds"]
    return max(md5, disk) / ours, f"{1 / ours:.2f} GiB/s, MD5 {1 / md5:.2f}, disk {1 / disk:.2f}"


@row("put4k", "4 KiB PUT, 16 clients", (">=", 3, "x fake-gcs-server"))
def put4k(bench):
    brume, fake = bench.get(Brume), bench.get(FakeGcs)
    options = {"connections": 16, "seconds": 3, "method": "POST", "body": 4096}
    target = "/upload/storage/v1/b/bench/o?uploadType=media&name=put{n}"
    ours, theirs = load(brume.port, target, **options), load(fake.port, target, **options)
    return ours["rate"] / theirs["rate"], f"{ours['rate']:.0f}/s, fake-gcs-server {theirs['rate']:.0f}/s"


@row("list", "list page of 1,000 in 10,000 objects", (">=", 20, "x fake-gcs-server"))
def list_page(bench):
    brume, fake = bench.get(Brume), bench.get(FakeGcs)
    if not hasattr(bench, "listed"):
        for server in (brume, fake):
            load(server.port, "/upload/storage/v1/b/bench/o?uploadType=media&name=many/{n}", connections=8,
                 requests=10_000, method="POST", body=16)
        bench.listed = True
    target = "/storage/v1/b/bench/o?prefix=many/&maxResults=1000&prettyPrint=false"
    ours, theirs = load(brume.port, target, requests=20), load(fake.port, target, requests=5)
    return theirs["p50"] / ours["p50"], f"{ours['p50']:.1f} ms, fake-gcs-server {theirs['p50']:.0f} ms"


@row("slow-p99", "p99 of other calls beside 200 uploads at 1 byte/s", ("<=", 1.25, "x without"))
def slow_p99(bench):
    ratio, cost, note = slow_uploads(bench)
    bench.slow_cost = cost
    return ratio, note


@row("slow-memory", "memory of 200 uploads at 1 byte/s", ("<=", 40, "MB"))
def slow_memory(bench):
    if not hasattr(bench, "slow_cost"):
        slow_p99(bench)
    cost = bench.slow_cost
    del bench.slow_cost
    return cost, ""


def slow_uploads(bench):
    brume, _ = small_files(bench)
    target = "/download/storage/v1/b/bench/o/small{n}?alt=media"
    options = {"connections": 4, "seconds": 3, "modulo": 200}
    load(brume.port, target, **options)  # warm
    alone = load(brume.port, target, **options)
    before = resident(brume.process.pid)
    slow = subprocess.Popen(
        [str(BUILD / "bench_load"), "--port", str(brume.port), "--connections", "200", "--seconds", "6", "--slow",
         "--method", "POST", "--body", "1000", "/upload/storage/v1/b/bench/o?uploadType=media&name=slow{n}"],
        stdout=subprocess.DEVNULL)
    time.sleep(1.5)
    beside = load(brume.port, target, **options)
    cost = (resident(brume.process.pid) - before) / 1e6
    slow.wait()
    return beside["p99"] / alone["p99"], cost, f"{beside['p99']:.2f} ms beside, {alone['p99']:.2f} ms alone"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="rows; all if none: " + " ".join(r.name for r in ROWS))
    parser.add_argument("--runs", type=int, default=RUNS)
    arguments = parser.parse_args()
    wanted = [r for r in ROWS if not arguments.names or r.name in arguments.names]
    if len(wanted) < len(arguments.names):
        parser.error("unknown row")
    failed = 0
    # On the disk of the build, not in a memory file system.
    with tempfile.TemporaryDirectory(prefix="bench-", dir=BUILD) as folder:
        bench = Bench(pathlib.Path(folder))
        try:
            for r in wanted:
                sense, bound, unit = r.bound
                try:
                    runs = [r.measure(bench) for _ in range(arguments.runs)]
                except NotMeasured as reason:
                    print(f"{r.name:14} {r.what:52} not measured: {reason}", flush=True)
                    continue
                value = statistics.median(v for v, _ in runs)
                note = min(runs, key=lambda run: abs(run[0] - value))[1]
                if sense is None:
                    verdict = "(no bound)"
                else:
                    met = value <= bound if sense == "<=" else value >= bound
                    failed += not met
                    verdict = f"({sense} {bound}) " + ("met" if met else "NOT MET")
                print(f"{r.name:14} {r.what:52} {value:8.2f} {unit} {verdict}  {note}", flush=True)
        finally:
            bench.stop()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
