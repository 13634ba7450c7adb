"""Splits lists that are too large for one XCom: each part gets its own XCom, and tasks pass on small references."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

__all__ = [
    "LARGEST",
    "handed_on",
    "pull_mapped",
    "pull_parts",
    "pull_results",
    "push_parts",
    "resolved",
    "split_result",
]

LARGEST = 48 * 1024
"""The most bytes of JSON in one XCom. Each mapped task reads the whole XCom that it is mapped over, and Airflow stores
it in one row of its database."""

_REFERENCE = "xcom"
_RESULT = "result"


def handed_on(context: Context, key: str, parts: Sequence[list[Any]]) -> list[Any]:
    """Return the parts for a task to map over: as they are if they are small, otherwise as references.

    :param key: the prefix of the XCom keys that hold the parts. They are written before this returns, to the XCom
        backend of the deployment.
    """
    if len(json.dumps(parts, default=str)) <= LARGEST:
        return list(parts)
    ti: Any = context["ti"]
    references = []
    for number, part in enumerate(parts):
        name = f"{key}_{number}"
        ti.xcom_push(key=name, value=part)
        references.append({_REFERENCE: name, "task_id": ti.task_id})
    return references


def resolved(context: Context, given: Any) -> Any:
    """Return what a reference of :func:`handed_on` or :func:`split_result` stands for, and other values unchanged.

    :raises ValueError: the XCom does not exist. The task that wrote it was cleared and has not run again.
    """
    if not isinstance(given, dict) or _REFERENCE not in given:
        return given
    ti: Any = context["ti"]
    part: Any
    if "map_index" in given:
        part = pull_parts(context, given["task_id"], given[_REFERENCE], map_index=given["map_index"]) or None
    else:
        part = ti.xcom_pull(task_ids=given["task_id"], key=given[_REFERENCE])
    if part is None:
        raise ValueError(
            f"XCom {given[_REFERENCE]!r} of task {given['task_id']!r}, which lists what to ingest, does not exist. "
            "Clear that task so that it lists the sources again"
        )
    return part


def push_parts(context: Context, key: str, rows: Sequence[Any]) -> None:
    """Write rows to as many XComs as their size requires. :func:`pull_parts` reads them."""
    ti: Any = context["ti"]
    parts: list[list[Any]] = [[]]
    size = 0
    for row in rows:
        length = len(json.dumps(row, default=str))
        if parts[-1] and size + length > LARGEST:
            parts.append([])
            size = 0
        parts[-1].append(row)
        size += length
    for number, part in enumerate(parts):
        ti.xcom_push(key=f"{key}_{number}", value={"rows": part, "parts": len(parts)})


def pull_parts(context: Context, task_id: str, key: str, *, map_index: int = -1) -> list[Any]:
    """Return the rows that a task wrote with :func:`push_parts`, or an empty list if it wrote none.

    :raises ValueError: a part is missing.
    """
    ti: Any = context["ti"]
    rows: list[Any] = []
    number, count = 0, 1
    while number < count:
        part = ti.xcom_pull(task_ids=task_id, key=f"{key}_{number}", map_indexes=map_index)
        if part is None and number:
            raise ValueError(
                f"XCom {key}_{number} of task {task_id!r} does not exist. Clear that task to write it again"
            )
        if part is None:
            break
        rows += part["rows"]
        number, count = number + 1, part["parts"]
    return rows


def split_result(context: Context, rows: list[Any], key: str = _RESULT) -> Any:
    """Return the result of a task as it is, or, if it is too large for one XCom, a reference to its parts.

    :param key: the prefix of the XCom keys that hold the parts, for a value that is not what the task returns.

    :func:`pull_results` reads both, and :func:`resolved` those of one instance.
    """
    if len(json.dumps(rows, default=str)) <= LARGEST:
        return rows
    ti: Any = context["ti"]
    push_parts(context, key, rows)
    return {_REFERENCE: key, "task_id": ti.task_id, "map_index": ti.map_index}


def pull_mapped(ti: Any, task_id: str, key: str, *, count: int | None = None) -> list[Any]:
    """Return what the instances of a mapped task pushed under a key, without instances that pushed nothing.

    :param count: how many instances the run has. Needed if the run was cleared: Airflow keeps the XComs of instances
        that the run does not have any more. It costs a request for each instance.
    """
    # A list of task ids asks for every map index.
    which = {} if count is None else {"map_indexes": list(range(count))}
    return [value for value in ti.xcom_pull(task_ids=[task_id], key=key, **which) if value is not None]


def pull_results(ti: Any, task_id: str, *, count: int | None = None) -> list[Any]:
    """Return the rows of the results of all instances of a mapped task; ``count`` as in :func:`pull_mapped`."""
    rows: list[Any] = []
    split = False
    for result in pull_mapped(ti, task_id, "return_value", count=count):
        if isinstance(result, dict) and _REFERENCE in result:
            split = True
        else:
            rows += result if isinstance(result, list) else [result]
    number = 0
    while split:
        parts = pull_mapped(ti, task_id, f"{_RESULT}_{number}", count=count)
        rows += [row for part in parts for row in part["rows"]]
        number, split = number + 1, bool(parts)
    return rows
