#!/usr/bin/env python3
"""Checks every include of src/ against the table in tools/layers.txt.

A folder may include its own headers and those of the folders its row names.
An upward or undeclared include, a folder without a row, a CMake dependency
that the row does not allow, and a cycle in the table are errors. Also: heavy
third-party headers stay in the folders that own them.
"""
import fnmatch
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
SRC = TOP / "src"

# Third-party headers that only these folders may include (prefix: folders).
OWNED = {
    "rocksdb/": ["store/kv"],
    "grpcpp/": ["front"],
    "grpc/": ["front"],
    "boost/asio": ["front", "runtime", "client"],
    "boost/beast": ["front", "client", "runtime"],
    "sqlite3.h": ["cli"],
    "yaml-cpp/": ["config"],
}
# Coroutines only where the I/O is.
COROUTINES = ["front", "runtime", "client"]


def read_table():
    rows = {}
    for number, line in enumerate((TOP / "tools/layers.txt").read_text().splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        folder, _, deps = line.partition(":")
        if folder in rows:
            sys.exit(f"tools/layers.txt:{number}: '{folder}' has two rows")
        rows[folder] = deps.split()
    return rows


def folder_of(path, rows):
    """The deepest row that holds the file."""
    parent = path.parent
    while parent != pathlib.PurePosixPath("."):
        if str(parent) in rows:
            return str(parent)
        parent = parent.parent
    return None


def allowed(target, folder, rows):
    return target == folder or any(fnmatch.fnmatch(target, p) for p in rows[folder])


def cycles(rows):
    state = {}

    def visit(folder, path):
        if state.get(folder) == "done":
            return
        if folder in path:
            sys.exit("tools/layers.txt: cycle: " + " -> ".join(path + [folder]))
        for pattern in rows[folder]:
            for target in rows:
                if target != folder and fnmatch.fnmatch(target, pattern):
                    visit(target, path + [folder])
        state[folder] = "done"

    for folder in rows:
        visit(folder, [])


def main():
    rows = read_table()
    cycles(rows)
    errors = []
    files = sorted(p for p in SRC.rglob("*") if p.suffix in (".cc", ".h"))
    for file in files:
        relative = pathlib.PurePosixPath(file.relative_to(SRC).as_posix())
        if str(relative) == "main.cc":
            folder = "cli"
        else:
            folder = folder_of(relative, rows)
        if folder is None:
            errors.append(f"src/{relative}: its folder has no row in tools/layers.txt")
            continue
        is_test = relative.name.endswith(("_test.cc", "_benchmark.cc", "_fuzzer.cc"))
        text = file.read_text()
        if "co_await" in text and not any(folder.startswith(c) for c in COROUTINES) and folder != "testing":
            errors.append(f"src/{relative}: coroutines live in {', '.join(COROUTINES)} only")
        for number, line in enumerate(text.splitlines(), 1):
            match = re.match(r'\s*#\s*include\s+(["<])([^">]+)[">]', line)
            if not match:
                continue
            quoted, name = match.group(1) == '"', match.group(2)
            where = f"src/{relative}:{number}"
            if not quoted:
                for prefix, owners in OWNED.items():
                    if name.startswith(prefix) and folder not in owners and not is_test and folder != "testing":
                        errors.append(f"{where}: <{name}> belongs to {', '.join(owners)}")
                if name.endswith(".pb.h") and not name.startswith("google/protobuf/") \
                        and "protos" not in rows[folder] and not is_test:
                    errors.append(f"{where}: '{folder}' may not include generated headers (protos)")
                continue
            if ".." in name:
                errors.append(f"{where}: '{name}': include by the path from src/")
                continue
            target = folder_of(pathlib.PurePosixPath(name), rows)
            if target is None:
                if (pathlib.Path(SRC) / name).exists() or "/" in name:
                    errors.append(f"{where}: '{name}' is in no folder of tools/layers.txt")
                continue
            if is_test and (target == "testing" or allowed(target, folder, rows)):
                continue
            if target == "testing" and folder != "testing":
                errors.append(f"{where}: src/testing is for tests only")
            elif not allowed(target, folder, rows):
                errors.append(f"{where}: '{folder}' may not include '{target}'")
            if name.endswith("_internal.h") and target != folder:
                errors.append(f"{where}: '{name}' is internal to '{target}'")
    for error in errors:
        print(error)
    print(f"layers: {len(files)} files, {len(errors)} errors")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
