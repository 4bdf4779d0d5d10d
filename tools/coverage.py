#!/usr/bin/env python3
"""Prints docs/coverage.md: what `brume methods --markdown` says (given on
standard input), and how many answers tests/transcripts hold, by their tags.

  build/brume methods --markdown | python3 tools/coverage.py > docs/coverage.md
"""
import collections
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
TAGS = ("recorded", "documented", "guessed")


def counts():
    found = collections.defaultdict(collections.Counter)
    for path in sorted((TOP / "tests/transcripts").glob("*/*.txt")):
        for block in path.read_text().split("\n---\n"):
            tag = re.match(r"\s*# (\w+)", block)
            found[path.parent.name][tag[1]] += 1
    return found


def main():
    page = sys.stdin.read()
    rows = ["\n# Where the answers are from\n",
            "Exchanges of `tests/transcripts`, replayed by a test: recorded from the real service, documented by\n"
            "its pages or its clients' source, or guessed.\n",
            "| service | " + " | ".join(TAGS) + " |", "| --- |" + " --- |" * len(TAGS)]
    total = collections.Counter()
    for service, tags in counts().items():
        total.update(tags)
        rows.append(f"| {service} | " + " | ".join(str(tags[tag]) for tag in TAGS) + " |")
    rows.append("| all | " + " | ".join(str(total[tag]) for tag in TAGS) + " |")
    sys.stdout.write(page + "\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
