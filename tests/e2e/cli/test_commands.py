"""version, help, doctor and env."""
import json
import os
import subprocess

import pytest

from harness import BRUME, TOP

COMMANDS = ["up", "down", "status", "run", "env", "cp", "ls", "cat", "rm", "train", "calls", "methods", "images", "doctor", "settings",
            "version"]


def brume(*arguments, **kwargs):
    return subprocess.run([str(BRUME), *map(str, arguments)], capture_output=True, text=True, timeout=60, **kwargs)


def test_version():
    text = brume("version").stdout
    assert text == f"brume {json.loads(brume('version', '--json').stdout)['version']}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_begins_with_an_example_of_the_command(command):
    done = brume(command, "--help")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "example:" and f"brume {command}" in lines[1]
    assert f"usage: brume {command}" in done.stdout


def test_a_command_line_that_cannot_be_read_exits_with_two():
    done = brume("up", "--prot", "1")
    assert done.returncode == 2
    assert done.stderr == ("brume: read option '--prot': no such option; did you mean '--port'? "
                           "See 'brume up --help'\n")
    assert brume("fly").returncode == 2
    assert brume("run").returncode == 2


def test_the_settings_page_is_what_the_program_says():
    assert brume("settings", "--markdown").stdout == (TOP / "docs/settings.md").read_text()


def test_doctor_says_what_is_missing_and_how_to_get_it(tmp_path):
    found = json.loads(brume("doctor", "--json", "--data", tmp_path).stdout)
    names = {row["what"]: row for row in found["findings"]}
    assert names["namespaces"]["found"] in (True, False)
    done = brume("doctor", "--json", "--data", tmp_path, env={**os.environ, "PATH": "/nowhere"})
    rows = {row["what"]: row for row in json.loads(done.stdout)["findings"]}
    assert not rows["gcloud"]["found"] and rows["gcloud"]["detail"].startswith("https://")
    assert "apt-get install docker.io" == rows["docker"]["detail"]
    assert brume("doctor", "--data", tmp_path).stdout.startswith("STATE")


def shell(cloud, script, **kwargs):
    return cloud._finish(["/bin/bash", "-c", script], True, 60, **kwargs)


def test_env_is_for_eval_and_can_be_taken_back(cloud):
    done = shell(cloud, f'''
        export CLOUDSDK_AUTH_ACCESS_TOKEN_FILE=/real GOOGLE_OAUTH_ACCESS_TOKEN=real BOTO_PATH=/real
        eval "$({BRUME} env)"
        echo "$HTTPS_PROXY|$CLOUDSDK_CONFIG|${{CLOUDSDK_AUTH_ACCESS_TOKEN_FILE-none}}|${{BOTO_PATH-none}}|$HOME"
        eval "$({BRUME} env --unset)"
        echo "${{HTTPS_PROXY-none}}|${{CLOUDSDK_CONFIG-none}}|$HOME"''')
    inside, outside = done.stdout.splitlines()
    proxy, config, token_file, boto_path, home = inside.split("|")
    assert proxy.startswith("http://shell:") and proxy.endswith(f"@127.0.0.1:{cloud.port}")
    assert config.startswith(str(cloud.data))
    assert (token_file, boto_path) == ("none", "none")
    assert outside == f"none|none|{home}"


def test_env_gives_the_same_run_every_time_also_after_a_restart(fresh_cloud):
    first = json.loads(fresh_cloud.brume("env", "--json").stdout)["set"]
    assert json.loads(fresh_cloud.brume("env", "--json").stdout)["set"] == first
    fresh_cloud.stop()
    fresh_cloud.start()
    again = json.loads(fresh_cloud.brume("env", "--json").stdout)["set"]
    secret = first["HTTPS_PROXY"].rsplit(":", 1)[0]
    assert again["HTTPS_PROXY"].rsplit(":", 1)[0] == secret
    runs = json.loads(fresh_cloud.brume("status", "--json").stdout)["runs"]
    assert [run["name"] for run in runs] == ["shell"]


def test_env_keeps_the_users_roots(fresh_cloud, tmp_path):
    certificate = (fresh_cloud.data / "ca/ca.pem").read_text()
    body = certificate.split("-----")[2].strip().splitlines()
    company = tmp_path / "company.pem"
    # Another certificate, as far as a bundle is concerned.
    company.write_text("-----BEGIN CERTIFICATE-----\n" + "\n".join(reversed(body)) +
                       "\n-----END CERTIFICATE-----\n")
    told = json.loads(fresh_cloud.brume("env", "--json", env={"REQUESTS_CA_BUNDLE": str(company)}).stdout)["set"]
    bundle = open(told["REQUESTS_CA_BUNDLE"]).read()
    assert body[3] in bundle and "\n".join(list(reversed(body))[:3]) in bundle
    assert bundle.count("BEGIN CERTIFICATE") >= 3 or not os.path.exists("/etc/ssl/certs/ca-certificates.crt")
