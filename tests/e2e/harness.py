"""The real program, as suites drive it: one server with its commands."""
import collections
import json
import os
import pathlib
import signal
import subprocess
import time

import pytest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
BRUME = pathlib.Path(os.environ.get("BRUME_BINARY", TOP / "build/brume"))

User = collections.namedtuple("User", "name uid gid home")


class Cloud:
    """A server of `brume up` with a data folder of its own."""

    def __init__(self, data, user=None, extra=()):
        self.data = pathlib.Path(data)
        self.user = user
        self.extra = list(extra)
        self.process = None

    def _as_user(self, command):
        if self.user is None:
            return command
        return ["setpriv", f"--reuid={self.user.uid}", f"--regid={self.user.gid}",
                "--clear-groups", "--inh-caps=-all", *command]

    def _environment(self, extra=None):
        environment = dict(os.environ, BRUME_DATA=str(self.data))
        if self.user is not None:
            environment.update(HOME=str(self.user.home), USER=self.user.name, LOGNAME=self.user.name)
            environment.pop("XDG_RUNTIME_DIR", None)
        environment.update(extra or {})
        return environment

    def start(self):
        log = open(self.data.parent / (self.data.name + ".log"), "ab")
        self.process = subprocess.Popen(
            self._as_user([str(BRUME), "up", "--data", str(self.data), "--port", "0", *self.extra]),
            stdout=log, stderr=log, env=self._environment(), cwd="/")
        log.close()
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"brume up ended with {self.process.returncode}:\n{self.log()}")
            status = subprocess.run(
                self._as_user([str(BRUME), "status", "--data", str(self.data), "--json"]),
                capture_output=True, text=True, env=self._environment(), cwd="/")
            if status.returncode == 0:
                self.status = json.loads(status.stdout)
                self.port = self.status["port"]
                self.url = f"http://127.0.0.1:{self.port}"
                return self
            time.sleep(0.05)
        raise RuntimeError(f"brume up did not answer in 30 s:\n{self.log()}")

    def log(self):
        return (self.data.parent / (self.data.name + ".log")).read_text(errors="replace")[-8000:]

    def stop(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise RuntimeError(f"brume up did not stop in 30 s:\n{self.log()}")

    def brume(self, *arguments, check=True, timeout=120, **kwargs):
        return self._finish([str(BRUME), *map(str, arguments)], check, timeout, **kwargs)

    def run(self, *command, mode="env", flags=(), check=True, timeout=180, **kwargs):
        """`brume run [--sealed] -- COMMAND`; fails the test on another exit code
        than 0 unless check is False."""
        arguments = ["run", *flags] + (["--sealed"] if mode == "sealed" else []) + ["--", *map(str, command)]
        return self._finish([str(BRUME), *arguments], check, timeout, **kwargs)

    def _finish(self, command, check, timeout, env=None, stdin_text=None, cwd=None):
        done = subprocess.run(
            self._as_user(command), capture_output=True, text=True, timeout=timeout, input=stdin_text,
            stdin=subprocess.DEVNULL if stdin_text is None else None,
            env=self._environment(env), cwd=cwd or (self.user.home if self.user else "/"))
        if check and done.returncode != 0:
            pytest.fail(f"exit {done.returncode}: {' '.join(command)}\nstdout: {done.stdout[-3000:]}\n"
                        f"stderr: {done.stderr[-3000:]}\nserver: {self.log()[-2000:]}")
        return done

    def json(self, *command, **kwargs):
        return json.loads(self.run(*command, **kwargs).stdout)
