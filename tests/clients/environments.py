"""The pinned client environments: three Python ones and Node's.

Each is made once per user and per content of its lock file, in the user's
cache, from PyPI or npm. Where the index cannot be reached the tests that need
it are skipped with that reason.

  python3 tests/clients/environments.py          make all, print their paths
"""
import functools
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "brume/clients"
NAMES = ["oldest", "middle", "newest"]


class Unavailable(Exception):
    pass


def _key(*files):
    digest = hashlib.sha256(sys.version.encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


@functools.lru_cache(None)
def interpreter(name):
    lock = HERE / f"{name}.txt"
    folder = CACHE / f"{name}-{_key(lock)}"
    python = folder / "bin/python"
    if (folder / "complete").exists():
        return str(python)
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True, text=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check",
                        "--retries", "1", "--timeout", "30", "--no-deps", "-r", str(lock)],
                       check=True, capture_output=True, text=True, timeout=600)
    except (subprocess.SubprocessError, OSError) as error:
        detail = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
        raise Unavailable(f"Python environment '{name}': {detail[-1] if detail else error}")
    (folder / "complete").touch()
    folder.chmod(0o755)
    return str(python)


@functools.lru_cache(None)
def node_folder():
    lock = HERE / "node/package-lock.json"
    if not shutil.which("node") or not shutil.which("npm"):
        raise Unavailable("node and npm are not installed")
    folder = CACHE / f"node-{_key(lock)}"
    if (folder / "complete").exists():
        return str(folder)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(HERE / "node", folder)
    done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder,
                          capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise Unavailable("npm ci: " + (done.stderr.strip().splitlines() or ["failed"])[-1])
    (folder / "complete").touch()
    return str(folder)


def _or_skip(make, *arguments):
    import pytest
    try:
        return make(*arguments)
    except Unavailable as error:
        pytest.skip(str(error))


def interpreter_or_skip(name):
    return _or_skip(interpreter, name)


def node_folder_or_skip():
    return _or_skip(node_folder)


if __name__ == "__main__":
    for environment in NAMES + ["node"]:
        try:
            print(environment, node_folder() if environment == "node" else interpreter(environment))
        except Unavailable as error:
            print(environment, "unavailable:", error)
