"""gRPC's share of the soak: python grpc_load.py PORT CA SECONDS CONNECTIONS

Channels come and go; each makes calls, some wait, some are given up. Every
reply must carry what its own connection was told, never another's. Prints one
line of JSON.
"""
import collections
import json
import random
import sys
import threading
import time

import grpc

port, ca, seconds, connections = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
deadline = time.monotonic() + seconds
counts = collections.Counter()
errors = []
lock = threading.Lock()
credentials = grpc.ssl_channel_credentials(open(ca, "rb").read())


def count(what):
    with lock:
        counts[what] += 1


def fail(what):
    with lock:
        counts["errors"] += 1
        if len(errors) < 5:
            errors.append(what)


def open_channel(chance):
    options = [("grpc.use_local_subchannel_pool", 1)]
    if chance.random() < 0.4:
        options.append(("grpc.enable_http_proxy", 0))
        return grpc.insecure_channel(f"localhost:{port}", options), "host= run= via=0 tls=0"
    run = chance.choice(["run", "offline"])
    host = chance.choice(["iam", "cloudresourcemanager", "us-central1-aiplatform"]) + ".googleapis.com"
    options.append(("grpc.http_proxy", f"http://{run}:secret@127.0.0.1:{port}"))
    return grpc.secure_channel(f"{host}:443", credentials, options), f"host={host} run={run} via=1 tls=1"


def one_channel(chance):
    channel, expected = open_channel(chance)
    with channel:
        count("connections")
        say = channel.unary_unary("/test.Echo/Say")
        for _ in range(chance.randrange(1, 12)):
            if time.monotonic() > deadline:
                break
            kind = chance.random()
            text = b"x" * chance.choice([0, 10, 1000, 100000])
            if kind < 0.7:
                reply = say(text, timeout=60).decode()
                if reply != f"{expected} said={text.decode()}":
                    fail(f"wrong reply: {reply[:100]}")
                count("calls")
            elif kind < 0.8:
                future = say.future(text, timeout=60)
                future.cancel()
                count("cancelled")
            elif kind < 0.9:
                wait = channel.unary_unary("/test.Echo/Wait")
                future = wait.future(b"", timeout=60)
                time.sleep(chance.random() * 0.5)
                future.cancel()
                count("waits given up")
            else:
                try:
                    channel.unary_unary("/test.Echo/Fail")(b"", timeout=60)
                except grpc.RpcError as error:
                    if error.code() != grpc.StatusCode.NOT_FOUND:
                        raise
                count("calls")
            time.sleep(chance.random() * 0.4)


def run(seed):
    chance = random.Random(seed)
    time.sleep(chance.random())
    while time.monotonic() < deadline:
        try:
            one_channel(chance)
        except grpc.RpcError as error:
            fail(f"{error.code()}: {error.details()}"[:300])


threads = [threading.Thread(target=run, args=(i,), daemon=True) for i in range(connections)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join(seconds + 90)
print(json.dumps({"counts": counts, "errors": errors, "stuck": sum(t.is_alive() for t in threads)}), flush=True)
