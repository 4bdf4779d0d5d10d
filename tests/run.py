#!/usr/bin/env python3
"""Runs the tests and closes with a plain count line.

  tests/run.py                 everything
  tests/run.py unit fuzz       only these kinds: checks, unit, fuzz, e2e
  tests/run.py e2e/storage     one end-to-end folder
  --build DIR                  another build folder (build/asan, ...)
  --counts FILE                where the end-to-end counts per client go

Unit tests and fuzz corpora are CTest's; end-to-end suites are pytest's and
drive the real binary with real clients. What cannot run here is skipped, with
its reason, never silently.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

TOP = pathlib.Path(__file__).resolve().parent.parent


class Counts:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add(self, passed, failed, skipped):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped


def run(command, **kwargs):
    print("\033[2m+ " + " ".join(map(str, command)) + "\033[0m", flush=True)
    return subprocess.run(command, cwd=TOP, **kwargs)


def gtest_programs(build, label):
    listing = subprocess.run(
        ["ctest", "--test-dir", str(build), "-N", "-L", label, "--show-only=json-v1"],
        capture_output=True, text=True, check=True)
    return json.loads(listing.stdout)["tests"]


def run_ctest(build, label, counts, jobs):
    """Each CTest is one program; unit programs are counted by their cases."""
    tests = gtest_programs(build, label)
    if not tests:
        print(f"no tests with label {label}")
        return
    results = build / "test-results"
    results.mkdir(exist_ok=True)
    for old in results.glob("*.xml"):
        old.unlink()
    environment = dict(os.environ, GTEST_OUTPUT=f"xml:{results}/",
                       ASAN_OPTIONS="detect_leaks=1:abort_on_error=0",
                       TSAN_OPTIONS=f"suppressions={TOP}/tools/tsan.supp:halt_on_error=1",
                       LSAN_OPTIONS=f"suppressions={TOP}/tools/lsan.supp:print_suppressions=0",
                       UBSAN_OPTIONS="print_stacktrace=1")
    junit = results / f"ctest-{label}.junit"
    run(["ctest", "--test-dir", str(build), "-L", label, "-j", str(jobs),
         "--output-on-failure", "--output-junit", str(junit)], env=environment)
    per_program = {}
    for file in results.glob("*.xml"):
        suite = ElementTree.parse(file).getroot()
        total = int(suite.get("tests", 0))
        failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        # A skipped case keeps its reason in <skipped message="...">.
        skipped = 0
        for case in suite.iter("testcase"):
            reason = case.find("skipped")
            if reason is not None:
                skipped += 1
                print(f"SKIPPED {case.get('classname')}.{case.get('name')}: "
                      f"{(reason.get('message') or '').strip()}")
        per_program[file.stem] = (total - failed - skipped, failed, skipped)
    for case in ElementTree.parse(junit).getroot().iter("testcase"):
        name, status = case.get("name"), case.get("status")
        if name in per_program:
            passed, failed, skipped = per_program[name]
            if status == "fail" and failed == 0:
                failed = 1  # it crashed, or a sanitizer spoke, after its cases
            counts.add(passed, failed, skipped)
        elif status == "run":
            counts.add(1, 0, 0)
        elif status == "fail":
            counts.add(0, 1, 0)
        else:
            counts.add(0, 0, 1)


def run_checks(counts):
    for check in (["python3", "tools/check_layers.py"],
                  ["python3", "tools/check_seeds.py"]):
        ok = run(check).returncode == 0
        counts.add(int(ok), int(not ok), 0)


def run_e2e(paths, counts, counts_file):
    results = TOP / "build/test-results"
    results.mkdir(parents=True, exist_ok=True)
    junit = results / "e2e.junit.xml"
    if not any((TOP / "tests/e2e").rglob("test_*.py")):
        print("end-to-end: there are no tests yet")
        return
    # Debian's interpreter: python3-pytest belongs to it.
    command = ["/usr/bin/python3", "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider",
               f"--junit-xml={junit}", f"--counts={counts_file}", *paths]
    code = run(command).returncode
    if not junit.exists():
        counts.add(0, 1, 0)
        return
    total = failed = skipped = 0
    for suite in ElementTree.parse(junit).getroot().iter("testsuite"):
        total += int(suite.get("tests", 0))
        failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped += int(suite.get("skipped", 0))
    if code not in (0, 5) and failed == 0:
        failed = 1
    counts.add(total - failed - skipped, failed, skipped)


def main():
    parser = argparse.ArgumentParser(add_help=True, description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--build", default="build")
    parser.add_argument("--counts", default="build/test-results/clients.json")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    build = TOP / options.build
    kinds = [n for n in options.names if n in ("checks", "unit", "fuzz", "e2e")]
    folders = []
    for name in options.names:
        if name in kinds:
            continue
        if re.fullmatch(r"e2e/[\w./:\[\]-]+", name):
            folders.append("tests/" + name)
        else:
            sys.exit(f"run.py: no tests are called '{name}'; try checks, unit, fuzz, e2e or e2e/FOLDER")
    everything = not options.names
    counts = Counts()
    begun = time.monotonic()
    if everything or "checks" in kinds:
        run_checks(counts)
    if everything or "unit" in kinds:
        run_ctest(build, "unit", counts, options.jobs)
    if everything or "fuzz" in kinds:
        run_ctest(build, "fuzz", counts, options.jobs)
    if everything or "e2e" in kinds:
        run_e2e(["tests/e2e"], counts, options.counts)
    elif folders:
        run_e2e(folders, counts, options.counts)
    print(f"{counts.passed} passed, {counts.failed} failed, {counts.skipped} skipped"
          f" in {time.monotonic() - begun:.0f} s")
    return 1 if counts.failed else 0


if __name__ == "__main__":
    sys.exit(main())
