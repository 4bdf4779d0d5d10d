#!/usr/bin/env python3
"""Keeps CONTRIBUTING.md true: applies the diff in it to a clone of this tree,
builds the program, and calls the method that the diff adds. The program as it
is must say that it does not serve it."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent
ASK = ("import sys; sys.path.insert(0, 'examples/digits'); import set_up; "
       "print(set_up.Cloud().call('GET', 'https://logging.googleapis.com/v2/monitoredResourceDescriptors'))")


def run(*command, cwd, **kwargs):
    print("+ " + " ".join(map(str, command)), flush=True)
    return subprocess.run([str(part) for part in command], cwd=cwd, **kwargs)


def ask(tree, data):
    """What the tree's program answers to the call, and whether it did."""
    brume = tree / "build/brume"
    environment = dict(os.environ, BRUME_DATA=str(data))
    run(brume, "up", "-d", "--port", "0", cwd=tree, env=environment, check=True)
    try:
        done = run(brume, "run", "--", sys.executable, "-c", ASK, cwd=tree, env=environment,
                   capture_output=True, text=True)
    finally:
        run(brume, "down", cwd=tree, env=environment)
    return done.returncode == 0, done.stdout + done.stderr


def main():
    diff = re.search(r"```diff\n(.*?)```", (TOP / "CONTRIBUTING.md").read_text(), re.S)
    if not diff:
        sys.exit("CONTRIBUTING.md has no ```diff block")
    with tempfile.TemporaryDirectory(prefix="brume-contributing-") as folder:
        folder = pathlib.Path(folder)
        served, said = ask(TOP, folder / "before")
        if served or "METHOD_NOT_SERVED" not in said:
            sys.exit(f"before the diff the method should not be served:\n{said}")
        tree = folder / "tree"
        run("git", "clone", "--quiet", "--shared", TOP, tree, cwd=TOP, check=True)
        run("git", "apply", "-", cwd=tree, input=diff[1], text=True, check=True)
        run("./x", "build", "dev", "brume", cwd=tree, check=True, stdout=subprocess.DEVNULL)
        served, said = ask(tree, folder / "after")
        if not served or "ml_job" not in said:
            sys.exit(f"after the diff the method should be served:\n{said}")
    print("CONTRIBUTING.md's method was added, built and called")


if __name__ == "__main__":
    main()
