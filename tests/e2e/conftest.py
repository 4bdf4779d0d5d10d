"""Fixtures of the end-to-end suites: a local cloud of their own per session,
real clients run inside it, and visible skips where a client cannot be had.

A test that drives a client says which, with
    @pytest.mark.client("gcloud", "env")
so that CI can show how many tests ran per line of .ci/clients.txt.
"""
import collections
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from clients import environments  # noqa: E402
from harness import BRUME, Cloud, User  # noqa: E402

_ran = collections.Counter()


def pytest_addoption(parser):
    parser.addoption("--counts", default=None, help="file for the tests run per client and mode")


def pytest_configure(config):
    config.addinivalue_line("markers", "client(name, mode): which client the test drives, and how")


def pytest_runtest_logreport(report):
    if report.when == "call" and report.passed:
        for key in getattr(report, "clients", []):
            _ran[key] += 1


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    clients = []
    for marker in item.iter_markers("client"):
        name, mode = marker.args
        parameters = getattr(item, "callspec", None)
        values = parameters.params if parameters else {}
        name = values.get("python_env", name) if name == "python" else name
        mode = values.get("mode", mode)
        clients.append(f"{name} {mode}")
    report.clients = clients


def pytest_sessionfinish(session):
    path = session.config.getoption("--counts")
    if path:
        pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
        pathlib.Path(path).write_text(json.dumps(_ran, indent=1, sort_keys=True) + "\n")


@pytest.fixture(scope="session")
def ordinary_user(tmp_path_factory):
    """An ordinary user with subordinate ids. As root one is made, once."""
    if os.getuid() != 0:
        import pwd
        me = pwd.getpwuid(os.getuid())
        return User(me.pw_name, me.pw_uid, me.pw_gid, pathlib.Path(me.pw_dir))
    import pwd
    name = "brume-test"
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        if not shutil.which("useradd"):
            pytest.skip("no useradd: cannot make an ordinary user")
        subprocess.run(["useradd", "-m", "-s", "/bin/bash", name], check=True)
        entry = pwd.getpwnam(name)
    return User(name, entry.pw_uid, entry.pw_gid, pathlib.Path(entry.pw_dir))


def _cloud(tmp_path_factory, name, user=None):
    if not BRUME.exists():
        pytest.fail(f"{BRUME} does not exist; run ./x build")
    folder = tmp_path_factory.mktemp(name)
    if user is not None:
        # A folder that the user may enter: pytest's own are 0700.
        import tempfile
        folder = pathlib.Path(tempfile.mkdtemp(prefix="brume-e2e-"))
        os.chown(folder, user.uid, user.gid)
    cloud = Cloud(folder / "data", user)
    cloud.start()
    return cloud, folder


@pytest.fixture(scope="session")
def cloud(tmp_path_factory):
    """The session's cloud, run by whoever runs the tests."""
    cloud, _ = _cloud(tmp_path_factory, "cloud")
    yield cloud
    cloud.stop()


@pytest.fixture(scope="session")
def user_cloud(tmp_path_factory, ordinary_user):
    """A cloud run by an ordinary user, with that user's commands."""
    cloud, folder = _cloud(tmp_path_factory, "user-cloud", ordinary_user)
    yield cloud
    cloud.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def fresh_cloud(tmp_path_factory):
    """A cloud for this test alone: to be killed, restarted, filled."""
    cloud, _ = _cloud(tmp_path_factory, "fresh-cloud")
    yield cloud
    cloud.stop()


@pytest.fixture(scope="session", params=environments.NAMES)
def python_env(request):
    """Each pinned Python environment: its name."""
    environments.interpreter_or_skip(request.param)
    return request.param


@pytest.fixture(scope="session")
def python(python_env):
    """Path of the environment's interpreter."""
    return environments.interpreter_or_skip(python_env)


def _tool(name):
    path = shutil.which(name)
    if not path:
        pytest.skip(f"{name} is not installed")
    return path


@pytest.fixture(scope="session")
def gcloud():
    return _tool("gcloud")


@pytest.fixture(scope="session")
def gsutil():
    return _tool("gsutil")


@pytest.fixture(scope="session")
def node_storage():
    """A folder with node_modules/@google-cloud/storage."""
    return environments.node_folder_or_skip()


@pytest.fixture(params=["env", "sealed"])
def mode(request):
    return request.param
