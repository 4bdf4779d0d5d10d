"""Nobody gets in: every method that is served refuses who shows no token, and
who shows a wrong one, also to another user of the machine and over gRPC."""
import json
import os
import re
import subprocess

import pytest

# Asks for every route and prints the ones that did not answer 401.
ASK = r"""
import http.client, json, socket, ssl, sys
port, token = int(sys.argv[1]), sys.argv[2]
context = ssl._create_unverified_context()
for host, verb, path in json.load(sys.stdin):
    raw = socket.create_connection(("127.0.0.1", port), 10)
    connection = http.client.HTTPConnection(host)
    connection.sock = context.wrap_socket(raw, server_hostname=host)
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = "Bearer " + token
    connection.request(verb, path, "{}" if verb in ("POST", "PUT", "PATCH") else None, headers)
    status = connection.getresponse().status
    connection.close()
    if status != 401:
        print(status, verb, host + path)
"""

GRPC = r"""
import grpc, json, os, sys
bad = []
roots = open(os.environ["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"], "rb").read()
for row in json.load(sys.stdin):
    channel = grpc.secure_channel(row["host"] + ":443", grpc.ssl_channel_credentials(roots))
    service, _, method = row["method"].rpartition(".")
    for metadata in ([], [("authorization", "Bearer ya29.guessed")]):
        try:
            channel.unary_unary(f"/{service}/{method}")(b"", timeout=20, metadata=metadata)
            bad.append(("OK", row["method"]))
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNAUTHENTICATED:
                bad.append((str(error.code()), row["method"], error.details()))
    channel.close()
print(json.dumps(bad))
"""


@pytest.fixture(scope="module")
def methods(cloud):
    rows = json.loads(cloud.brume("methods", "--json").stdout)
    assert len(rows) > 50
    return rows


def filled(path):
    """"/v1/{name=projects/*/x/*}:go" -> "/v1/projects/abcdef/x/abcdef:go"."""
    def value(match):
        pattern = match.group(1).partition("=")[2] or "*"
        return pattern.replace("**", "abcdef").replace("*", "abcdef")
    return re.sub(r"\{([^}]*)\}", value, path)


def routes(methods):
    out = [(route["host"], route["verb"], filled(route["path"])) for row in methods for route in row["routes"]]
    # What other surfaces have beside the table's rows.
    return out + [("storage.googleapis.com", "GET", "/storage/v1/b?project=brume-local"),
                  ("storage.googleapis.com", "POST", "/storage/v1/b?project=brume-local")]


def ask(cloud, methods, token, user=None):
    command = ["/usr/bin/python3", "-c", ASK, str(cloud.port), token]
    if user is not None and os.getuid() == 0:
        command = ["setpriv", f"--reuid={user.uid}", f"--regid={user.gid}", "--clear-groups", *command]
    asked = [route for route in routes(methods)]
    if not token:
        # allUsers ask for these: what they may see is decided later.
        asked = [route for route in asked if not route[0].startswith("storage.")]
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_no_token_is_refused_by_every_row(cloud, methods, ordinary_user):
    assert ask(cloud, methods, "", ordinary_user) == ""


@pytest.mark.parametrize("token", ["ya29.guessed", "eyJhbGciOiJub25lIn0.e30.", "x"])
def test_a_wrong_token_is_refused_by_every_row(cloud, methods, ordinary_user, token):
    assert ask(cloud, methods, token, ordinary_user) == ""


@pytest.mark.client("python", "env")
def test_grpc_refuses_too(cloud, methods, python):
    rows = [{"method": row["method"], "host": row["host"]} for row in methods
            if not row["method"].startswith("brume.")]
    done = cloud.run(python, "-c", GRPC, stdin_text=json.dumps(rows))
    assert json.loads(done.stdout) == []


def test_the_coverage_page_is_what_the_program_says(cloud):
    from harness import TOP
    page = (TOP / "docs/coverage.md").read_text()
    made = subprocess.run(["/usr/bin/python3", str(TOP / "tools/coverage.py")],
                          input=cloud.brume("methods", "--markdown").stdout, capture_output=True, text=True)
    assert made.stdout == page, \
        "write it again: build/brume methods --markdown | python3 tools/coverage.py > docs/coverage.md"
