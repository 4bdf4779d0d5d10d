#!/usr/bin/env python3
"""Checks tests/seeds.md: every row of the seeds' checklist is there once, and
names a test that exists or one of the three other answers.

  | G-12 | what it is | tests/e2e/storage/test_seeds.py::test_name |
  | G-31 | ...        | not yet |
  | G-19 | ...        | needs HOST: /dev/fuse |
  | V-4  | ...        | fails on Google Cloud too: same message here (tests/...::test_x) |
"""
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
ROWS = [f"G-{n}" for n in range(1, 138)] + [f"V-{n}" for n in range(1, 123)]
TEST = re.compile(r"tests/[\w./-]+\.py::(\w+)")


def main():
    errors, seen, covered = [], {}, 0
    for number, line in enumerate((TOP / "tests/seeds.md").read_text().splitlines(), 1):
        match = re.match(r"\|\s*([GV]-\d+)\s*\|(.*)\|([^|]*)\|\s*$", line)
        if not match:
            continue
        row, _, answer = match.group(1), match.group(2), match.group(3).strip()
        where = f"tests/seeds.md:{number}: {row}"
        if row in seen:
            errors.append(f"{where}: also in line {seen[row]}")
        seen[row] = number
        tests = list(TEST.finditer(answer))
        for test in tests:
            path = TOP / test.group(0).split("::")[0]
            if not path.exists():
                errors.append(f"{where}: no file '{path.relative_to(TOP)}'")
            elif not re.search(rf"^\s*def {test.group(1)}\(", path.read_text(), re.M):
                errors.append(f"{where}: no test '{test.group(1)}' in {path.relative_to(TOP)}")
        covered += bool(tests)
        if not tests and answer != "not yet" and not answer.startswith(
                ("needs HOST: ", "fails on Google Cloud too: same message here")):
            errors.append(f"{where}: '{answer}' is no answer")
    errors += [f"tests/seeds.md: row {row} is missing" for row in ROWS if row not in seen]
    errors += [f"tests/seeds.md: the checklist has no row {row}" for row in seen if row not in ROWS]
    for error in errors:
        print(error)
    print(f"seeds: {covered} of {len(ROWS)} rows covered by a test, {len(errors)} errors")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
