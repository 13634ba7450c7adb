"""What discover says of a source, however much is wrong with it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from kaltura_provider.feeds.planning.plan import Plan
from kaltura_provider.feeds.sources import Found, FoundItem
from kaltura_provider.feeds.tasks.discover import KalturaDiscoverOperator


def test_very_many_warnings_are_counted_and_none_makes_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    messages: list[str] = []
    # Airflow warns of a task that runs outside of a run.
    log = SimpleNamespace(info=lambda text, *values: messages.append(text % values), warning=lambda *_: None)
    monkeypatch.setattr(KalturaDiscoverOperator, "log", log)
    plan = Plan(warnings=tuple(f"Column 'x{number}\nERROR' is unknown and ignored." for number in range(1000)))
    monkeypatch.setattr(KalturaDiscoverOperator, "_wanted", lambda *_: Found("here", [FoundItem("s3://b/a.mp4")]))
    monkeypatch.setattr(KalturaDiscoverOperator, "_planner", lambda *_: SimpleNamespace(plan=lambda _: plan))
    operator = KalturaDiscoverOperator(task_id="discover", source={"type": "s3_prefix", "uri": "s3://b/"})
    context: Any = {"ti": SimpleNamespace(xcom_push=lambda **_: None), "params": {}, "dag_run": None}
    assert operator.execute(context) == []
    said = [message for message in messages if "unknown and ignored" in message]
    assert len(said) == 50
    assert said[0] == "Column 'x0\\nERROR' is unknown and ignored."
    assert "And 950 more; kaltura plan shows all." in messages
