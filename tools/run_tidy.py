#!/usr/bin/env python3
"""clang-tidy 19 over our sources, in parallel; closes with the count of
findings and of suppressions (NOLINT), which are shown, not hidden.

  tools/run_tidy.py --build build/tidy [FILES...]    default: every src/*.cc
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent


def tidy(build, file):
    done = subprocess.run(["clang-tidy-19", "--quiet", "-p", str(build), str(file)],
                          capture_output=True, text=True, cwd=TOP)
    return file, done.returncode, done.stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build/tidy")
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    files = [pathlib.Path(f) for f in options.files] or sorted((TOP / "src").rglob("*.cc"))
    findings = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, (file, code, output) in enumerate(
                pool.map(lambda f: tidy(options.build, f), files), 1):
            lines = [l for l in output.splitlines() if re.search(r": (warning|error): ", l)]
            findings += len(lines)
            if code or lines:
                print(output.strip(), flush=True)
            if sys.stderr.isatty():
                print(f"\r{done}/{len(files)} {file.name:40}", end="", file=sys.stderr)
    suppressions = sum(f.read_text().count("NOLINT") for f in (TOP / "src").rglob("*") if f.suffix in (".cc", ".h"))
    print(f"tidy: {len(files)} files, {findings} findings, {suppressions} suppressions")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
