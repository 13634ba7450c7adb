"""A run's note says in one line what came of it."""

from __future__ import annotations

from airflow.models.xcom import XComModel

from kaltura_provider.feeds.outcome.run_note import NOTE_KEY, note_of_plan, note_of_summary
from kaltura_provider.feeds.tasks.vanished import _note as vanished_note
from kaltura_provider.note_listener import NoteListener


def noted(ran, dag, note: str | None = None) -> str | None:
    """Tell the listener that a run has ended, as the scheduler does within its transaction; return the run's note."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    query = select(DagRun).where(DagRun.dag_id == ran.dag_id, DagRun.run_id == ran.run_id)
    with create_session() as session:
        run = session.scalar(query)
        run.dag = dag
        if note is not None:
            run.note = note
        NoteListener().on_dag_run_failed(run, "task_failure")
    with create_session() as session:
        return session.scalar(query).note


def test_the_note_counts_and_names_what_failed(deployment, clips) -> None:
    good = deployment.put("clip-1.mp4", clips["clip-1.mp4"])
    form = deployment.form()
    ran = deployment.run(form, sources=[good, good.replace("clip-1", "[x](y)")], wait_for="sent")
    assert ran.state == "failed"
    note = noted(ran, form)
    assert note is not None
    assert note.startswith("1 new, 1 failed: \\[x\\](y).mp4 (ingest: ")
    assert "does not exist" in note
    assert noted(ran, form, "mine") == "mine"
    # The scheduler must be able to store whatever a task has said.
    XComModel.set(NOTE_KEY, "a\x00\u202eb" + "x" * 5000, dag_id=ran.dag_id, task_id="summary", run_id=ran.run_id)
    assert noted(ran, form, "") == "ab" + "x" * 998


def test_notes_are_short_whatever_failed() -> None:
    failed = [
        {"uri": f"s3://m/{n}/{'_' * 900}", "step": "ingest", "reason": "no\nsuch *thing* " * 99} for n in range(9)
    ]
    note = note_of_summary({"new": 1200, "found": 3, "failed": failed})
    assert note.startswith("1,200 new, 3 already there, 9 failed: ")
    assert len(note) <= 1000
    assert "\n" not in note
    assert note_of_summary({"new": 0, "found": 0, "failed": []}) == "nothing to ingest"
    among = {"new": 1, "found": 5, "refilled": 1, "skipped": 3, "failed": []}
    waiting = {"new": 0, "found": 0, "failed": [], "plan": {"waiting": 2, "unstable": 1, "ignored": 4}}
    assert note_of_summary(waiting) == "3 waiting"
    assert note_of_summary(among) == "1 new, 1 with new content, 1 already there, 3 skipped"
    assert len(vanished_note({f"{number:061}": "a.yaml" for number in range(200)})) < 1000
    assert note_of_plan({"new": 2, "ignored": 1}) == "dry run: 2 new, 1 ignored"
