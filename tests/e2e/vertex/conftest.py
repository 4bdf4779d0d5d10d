"""Fixtures of the job suites; what they import is in conftest_vertex.py."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from conftest_vertex import jobs  # noqa: E402,F401
