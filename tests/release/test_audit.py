"""What `make audit` says, and that it does not take an index that knows nothing for one that knows nothing bad."""

from __future__ import annotations

import importlib.util
from pathlib import Path

SPEC = importlib.util.spec_from_file_location("audit", Path(__file__).with_name("audit.py"))
assert SPEC is not None
assert SPEC.loader is not None
audit = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(audit)

UNKNOWN = {"name": "celery", "skip_reason": "Dependency not found on PyPI"}
SAFE = {"name": "boto3", "version": "1.0", "vulns": []}
BAD = {"name": "lxml", "version": "4.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["4.1", "5.0"]}]}


def test_a_vulnerability_fails() -> None:
    lines, affected = audit.report([UNKNOWN, SAFE, BAD])
    assert affected
    assert lines == [
        "lxml 4.0: PYSEC-1, fixed in 4.1, 5.0",
        "2 of 3 libraries looked up: 1 with known vulnerabilities",
    ]


def test_none_passes() -> None:
    assert audit.report([SAFE]) == (["1 of 1 libraries looked up: 0 with known vulnerabilities"], False)


def test_an_index_that_cannot_tell_is_not_taken_for_good_news() -> None:
    [line], affected = audit.report([UNKNOWN, UNKNOWN])
    assert line.startswith("NOT CHECKED")
    assert not affected
