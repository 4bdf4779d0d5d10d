#!/usr/bin/env python3
"""Prints how many end-to-end tests passed per line of .ci/clients.txt; 0 fails,
unless the client cannot be had on this machine at all, which is said."""
import json
import pathlib
import shutil
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests"))
from clients import environments  # noqa: E402


def unavailable(name):
    try:
        if name in environments.NAMES:
            environments.interpreter(name)
        elif name == "node":
            environments.node_folder()
        elif not shutil.which(name):
            return "not installed"
    except environments.Unavailable as error:
        return str(error)
    return None


def main():
    results = TOP / "build/test-results/clients.json"
    counts = json.loads(results.read_text()) if results.exists() else {}
    failed = False
    for line in (TOP / ".ci/clients.txt").read_text().splitlines():
        line = line.split("#")[0].split()
        if not line:
            continue
        name, version, mode = line
        count = counts.get(f"{name} {mode}", 0)
        note = ""
        if count == 0:
            reason = unavailable(name)
            note = f"  skipped: {reason}" if reason else "  NO TESTS"
            failed |= reason is None
        print(f"{name:8} {version:8} {mode:9} {count:4} tests{note}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
