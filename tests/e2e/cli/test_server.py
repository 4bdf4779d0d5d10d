"""up, down and status: what starts, what is refused, what is left."""
import json
import os
import pathlib
import signal
import socket
import stat
import subprocess
import time
import urllib.request

import pytest

from harness import BRUME


def brume(*arguments, env=None, timeout=60, **kwargs):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("BRUME_")}
    environment.update(env or {})
    return subprocess.run([str(BRUME), *map(str, arguments)], capture_output=True, text=True,
                          timeout=timeout, env=environment, **kwargs)


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    yield folder
    brume("down", "--data", folder)


def status(data):
    return json.loads(brume("status", "--data", data, "--json").stdout)


def lives(pid):
    """Whether the process runs; one that nobody has waited for yet does not."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_server_in_the_background_answers_when_up_returns(data):
    done = brume("up", "-d", "--data", data, "--port", "0")
    assert done.returncode == 0, done.stderr
    told = status(data)
    assert f"http://127.0.0.1:{told['port']}" in done.stdout
    assert (data / "port").read_text() == f"{told['port']}\n"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"http://127.0.0.1:{told['port']}/")
    assert refused.value.code == 404
    assert "serving" in (data / "brume.log").read_text()


def test_down_returns_when_the_server_is_gone_and_the_data_stays(data):
    brume("up", "-d", "--data", data, "--port", "0")
    told = status(data)
    done = brume("down", "--data", data)
    assert (done.returncode, done.stdout) == (0, "Brume has stopped.\n")
    assert not lives(told["pid"])
    gone = brume("status", "--data", data)
    assert gone.returncode == 1
    assert gone.stderr == (f"brume: reach server of data folder '{data}': none is running; "
                           "start one with 'brume up'\n")
    assert brume("down", "--data", data).returncode == 0
    authority = (data / "ca/ca.pem").read_text()
    brume("up", "-d", "--data", data, "--port", "0")
    assert (data / "ca/ca.pem").read_text() == authority


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_cleanly(data, number):
    server = subprocess.Popen([str(BRUME), "up", "--data", str(data), "--port", "0"],
                              stderr=subprocess.PIPE, text=True)
    line = server.stderr.readline()
    assert " INFO app serving address=127.0.0.1:" in line
    server.send_signal(number)
    _, rest = server.communicate(timeout=30)
    assert server.returncode == 0
    assert rest.splitlines()[-1].endswith("INFO app stopped")


def test_a_killed_server_leaves_nothing_in_the_way(data):
    brume("up", "-d", "--data", data, "--port", "0")
    pid = status(data)["pid"]
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while brume("status", "--data", data).returncode == 0:
        assert time.monotonic() < deadline
    again = brume("up", "-d", "--data", data, "--port", "0")
    assert again.returncode == 0, again.stderr
    assert status(data)["pid"] != pid


def one_line(done, text):
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("brume: ") and text in done.stderr, done.stderr


@pytest.mark.parametrize("how", [[], ["-d"]])
def test_what_stops_it_from_starting_is_one_line(data, tmp_path, how):
    brume("up", "-d", "--data", data, "--port", "0")
    port = status(data)["port"]
    one_line(brume("up", *how, "--data", data, "--port", "0"),
             f"another server uses it (port {port}); stop it with 'brume down'")
    one_line(brume("up", *how, "--data", tmp_path / "other", "--port", port),
             f"listen on 127.0.0.1:{port}: the port is in use")
    newer = tmp_path / "newer"
    newer.mkdir()
    (newer / "VERSION").write_text("1000\n")
    one_line(brume("up", *how, "--data", newer, "--port", "0"),
             "version 1000 was written by a newer program")
    one_line(brume("up", *how, "--data", "/proc/brume", "--port", "0"), "/proc/brume")


def test_an_unwritable_folder_is_one_line(tmp_path, ordinary_user):
    if os.getuid() != 0:
        folder = tmp_path / "shut"
        folder.mkdir(mode=0o500)
        one_line(brume("up", "--data", folder / "data", "--port", "0"), "Permission denied")
        return
    done = subprocess.run(
        ["setpriv", f"--reuid={ordinary_user.uid}", f"--regid={ordinary_user.gid}", "--clear-groups",
         str(BRUME), "up", "--data", "/root-only", "--port", "0"], capture_output=True, text=True)
    one_line(done, "Permission denied")


def test_only_its_owner_reaches_the_data_and_the_control_socket(data, ordinary_user):
    brume("up", "-d", "--data", data, "--port", "0")
    for path, mode in ((data, 0o700), (data / "control.sock", 0o600), (data / "ca/ca.key", 0o600)):
        assert stat.S_IMODE(path.stat().st_mode) == mode, path
    if os.getuid() != 0:
        pytest.skip("only root can become another user")
    # The folder opened to all: the socket still answers nobody else.
    for folder in (data, *data.parents):
        if folder != pathlib.Path("/") and folder.stat().st_uid == 0:
            os.chmod(folder, folder.stat().st_mode | 0o055)
    os.chmod(data / "control.sock", 0o666)
    script = ("import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
              "s.sendall(b'{\"op\":\"owner\"}\\n'); sys.stdout.write(str(s.recv(1000)))")
    done = subprocess.run(
        ["setpriv", f"--reuid={ordinary_user.uid}", f"--regid={ordinary_user.gid}", "--clear-groups",
         "/usr/bin/python3", "-c", script, str(data / "control.sock")], capture_output=True, text=True)
    assert "ok" not in done.stdout, done.stdout
    assert done.stdout == "b''" or "Error" in done.stderr, done


def test_settings_come_from_flags_then_the_environment(data):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    done = brume("up", "-d", env={"BRUME_DATA": str(data), "BRUME_PORT": str(port), "BRUME_OFFLINE": "1"})
    assert done.returncode == 0, done.stderr
    told = status(data)
    assert (told["port"], told["offline"]) == (port, True)
    rows = json.loads(brume("settings", "--json", "--port", "77", env={"BRUME_PORT": "x1", "BRUME_DATA": "/d"}).stdout
                      or "[]")
    assert rows == [], "a wrong variable is refused"
    rows = json.loads(brume("settings", "--json", "--port", "77", env={"BRUME_DATA": "/d"}).stdout)
    found = {row["name"]: (row["value"], row["from"]) for row in rows}
    assert found["port"] == ("77", "flag") and found["data"] == ("/d", "environment")
    assert found["log-level"] == ("info", "default")
