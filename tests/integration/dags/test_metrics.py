"""The list of metrics is what a run emits, and the page and the dashboard show that list."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from kaltura_provider.api.enums import EntryStatus
from kaltura_provider.hooks.metrics import wait_observed
from kaltura_provider.waiting.conditions.entry import EntryReady
from kaltura_provider.waiting.snapshot import EntrySnapshot
from kaltura_provider.waiting.watch import Watch

GENERATOR = runpy.run_path(str(Path(__file__).parents[3] / "docs" / "generate_metrics.py"))


@pytest.fixture
def emitted(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[str, set[str]]]:
    """What is emitted: name -> its type and its tags."""
    from airflow.sdk.observability import stats

    seen: dict[str, tuple[str, set[str]]] = {}
    for method, kind in (("incr", "counter"), ("timing", "timing"), ("gauge", "gauge")):

        def note(stat: str, *values: Any, kind: str = kind, tags: dict[str, str] | None = None, **_: Any) -> None:
            assert all(isinstance(tag, str) for tag in (tags or {}).values())
            if stat.startswith("kaltura."):
                seen[stat] = (kind, set(tags or {}))

        monkeypatch.setattr(stats, method, note)
    return seen


def test_a_run_emits_what_the_list_says(deployment, clips, emitted) -> None:
    deployment.sandbox.control.fault("unavailable", retry_after=0, after=2, times=1)
    ran = deployment.run(deployment.form(), sources=[deployment.put("clip-1.mp4", clips["clip-1.mp4"])])
    assert ran.state == "success", ran.states
    # Polls see an entry change its status only if Kaltura takes its time.
    wait_observed("entry", _watched())
    assert emitted == {one["name"]: (one["type"], set(one["tags"])) for one in GENERATOR["metrics"]()}


def _watched() -> Watch:
    watch = Watch(["0_a"], EntryReady())
    for second, status in enumerate((EntryStatus.PRECONVERT, EntryStatus.PRECONVERT, EntryStatus.READY)):
        watch.observe({"0_a": EntrySnapshot(id="0_a", status=status)}, float(second))
    return watch


def test_the_time_in_a_status_counts_from_the_first_look(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.sdk.observability import stats

    seen: list[Any] = []
    monkeypatch.setattr(stats, "timing", lambda stat, dt, tags: seen.append((stat, dt.total_seconds(), tags)))
    watch = _watched()
    wait_observed("entry", watch)
    wait_observed("entry", watch)
    assert seen == [("kaltura.wait.status_seconds", 2.0, {"kind": "entry", "status": "preconvert"})]


def test_the_page_and_the_dashboard_are_as_the_list_makes_them() -> None:
    assert GENERATOR["main"](["--check"]) == 0
