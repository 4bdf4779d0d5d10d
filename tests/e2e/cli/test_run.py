"""brume run: exit codes, signals, descriptors, the proxy, the record of runs."""
import json
import os
import signal
import subprocess
import time

import pytest

from harness import BRUME


def start(cloud, *command, flags=(), **kwargs):
    return subprocess.Popen(cloud._as_user([str(BRUME), "run", *flags, "--", *command]),
                            env=cloud._environment(), text=True, **kwargs)


def runs(cloud):
    return json.loads(cloud.brume("status", "--json").stdout)["runs"]


def test_the_exit_code_is_the_commands(cloud):
    assert cloud.run("true").returncode == 0
    assert cloud.run("bash", "-c", "exit 7", check=False).returncode == 7
    assert cloud.run("bash", "-c", "kill -TERM $$", check=False).returncode == 128 + signal.SIGTERM
    missing = cloud.run("no-such-program", check=False)
    assert missing.returncode == 127
    assert missing.stderr == "brume: run 'no-such-program': No such file or directory\n"
    assert cloud.run("/etc/passwd", check=False).returncode == 126


def test_input_output_and_descriptors_are_the_commands_own(cloud):
    done = cloud.run("cat", stdin_text="through\n")
    assert (done.stdout, done.stderr) == ("through\n", "")
    read, write = os.pipe()
    process = start(cloud, "bash", "-c", f"echo there >&{write}", pass_fds=[write])
    os.close(write)
    assert os.read(read, 100) == b"there\n"
    assert process.wait(30) == 0
    os.close(read)


def test_its_own_options_end_at_the_command(cloud):
    done = cloud._finish([str(BRUME), "run", "echo", "--sealed", "--help", "-d"], True, 60)
    assert done.stdout == "--sealed --help -d\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_are_handed_on(cloud, number):
    script = f"trap 'echo caught; exit 3' {number.value}; echo ready; while :; do sleep 0.05; done"
    process = start(cloud, "bash", "-c", script, stdout=subprocess.PIPE)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    assert process.communicate(timeout=30)[0] == "caught\n"
    assert process.returncode == 3


def test_a_run_is_known_while_its_command_lasts(cloud):
    process = start(cloud, "bash", "-c", "echo $BRUME_RUN; read line",
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    name = process.stdout.readline().strip()
    assert name.startswith("bash-")
    assert [run for run in runs(cloud) if run["name"] == name][0]["pid"] > 0
    process.communicate("\n", timeout=30)
    deadline = time.monotonic() + 10
    while name in [run["name"] for run in runs(cloud)]:
        assert time.monotonic() < deadline


def test_a_run_outlives_its_server_and_still_ends(fresh_cloud):
    process = start(fresh_cloud, "bash", "-c", "echo $BRUME_RUN; read line",
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    name = process.stdout.readline().strip()
    fresh_cloud.stop(signal.SIGKILL)
    fresh_cloud.start()
    assert name in [run["name"] for run in runs(fresh_cloud)]
    process.communicate("\n", timeout=30)
    assert process.returncode == 0
    assert name not in [run["name"] for run in runs(fresh_cloud)]


def test_a_server_is_started_when_none_is_up(tmp_path):
    environment = dict(os.environ, BRUME_DATA=str(tmp_path / "data"), BRUME_PORT="0")
    try:
        done = subprocess.run([str(BRUME), "run", "--", "bash", "-c", "echo $BRUME_RUN"], env=environment,
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and done.stdout.startswith("bash-")
        assert "started a server on port" in done.stderr
        again = subprocess.run([str(BRUME), "run", "--", "true"], env=environment, capture_output=True, text=True)
        assert (again.returncode, again.stderr) == (0, "")
    finally:
        subprocess.run([str(BRUME), "down"], env=environment, check=True)


def test_commands_that_start_at_the_same_time_share_one_server(tmp_path):
    environment = dict(os.environ, BRUME_DATA=str(tmp_path / "data"), BRUME_PORT="0")
    try:
        started = [subprocess.Popen([str(BRUME), "run", "--", "bash", "-c", "echo $HTTPS_PROXY"], env=environment,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(6)]
        done = [process.communicate(timeout=60) for process in started]
        assert [process.returncode for process in started] == [0] * 6, done
        assert len({out.rsplit(":", 1)[1] for out, _ in done}) == 1, done
        assert sum("started a server" in err for _, err in done) == 1, done
    finally:
        subprocess.run([str(BRUME), "down"], env=environment, check=True)


CURL = ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_connect} %{http_code}"]


def test_served_names_are_answered_over_trusted_tls(cloud):
    done = cloud.run(*CURL, "https://iam.googleapis.com/v1/nothing")
    assert done.stdout == "200 404"


RAW_CONNECT = """
import base64, os, socket, urllib.parse
proxy = urllib.parse.urlsplit(os.environ["HTTPS_PROXY"])
user = base64.b64encode(f"{proxy.username}:{proxy.password}".encode()).decode()
s = socket.create_connection((proxy.hostname, proxy.port))
s.sendall(f"CONNECT example.com:443 HTTP/1.1\\r\\nProxy-Authorization: Basic {user}\\r\\n\\r\\n".encode())
print(s.makefile().read())
"""


def test_offline_refuses_foreign_hosts_and_says_so(cloud):
    done = cloud.run("/usr/bin/python3", "-c", RAW_CONNECT, flags=["--offline"])
    assert done.stdout.startswith("HTTP/1.1 403")
    assert "example.com" in done.stdout and "offline" in done.stdout


def test_without_the_runs_token_nothing_foreign_is_reached(cloud):
    for proxy in (f"http://127.0.0.1:{cloud.port}", f"http://bash-0000:guess@127.0.0.1:{cloud.port}"):
        done = subprocess.run(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_connect}", "--proxy", proxy,
                               "https://example.com/"], capture_output=True, text=True)
        assert done.stdout == "407", done


def test_the_token_of_a_run_ends_with_it(cloud):
    proxy = cloud.run("bash", "-c", "echo $HTTPS_PROXY").stdout.strip()
    deadline = time.monotonic() + 10
    while True:
        done = subprocess.run(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_connect}", "--proxy", proxy,
                               "https://example.com/"], capture_output=True, text=True)
        if done.stdout == "407":
            return
        assert time.monotonic() < deadline, done


def test_home_and_what_gcloud_keeps_for_the_user_are_left_alone(cloud, tmp_path):
    home = tmp_path / "home"
    (home / ".config/gcloud").mkdir(parents=True)
    (home / ".config/gcloud/credentials.db").write_text("the user's")
    before = sorted(p for p in home.rglob("*"))
    done = cloud.run("bash", "-c", "echo $HOME $CLOUDSDK_CONFIG", env={"HOME": str(home)})
    told_home, config = done.stdout.split()
    assert told_home == str(home) and not config.startswith(str(home))
    assert sorted(p for p in home.rglob("*")) == before
    assert (home / ".config/gcloud/credentials.db").read_text() == "the user's"
