"""The feeds as Airflow has stored them: what each reads, when it runs next, and why some cannot run."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from airflow.models.dag import DagModel
from airflow.models.errors import ParseImportError
from sqlalchemy import select

from kaltura_provider.api.redaction import printable
from kaltura_provider.board.dags import dag_of
from kaltura_provider.board.text import feed_name, is_feed
from kaltura_provider.feeds.planning.interval import DATE_PARAM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

__all__ = ["FeedView", "feed_view", "feed_views", "import_errors"]

_CHECKS: Final = "kaltura_feeds"
_MAX_ERRORS: Final = 50


@dataclass(frozen=True, slots=True)
class FeedView:
    """One feed, or another DAG of this package.

    :param source: the fields of its source, with the values in the feed's file.
    :param settings: other fields by name.
    :param window: the beginning and end of the next interval, and when it runs.
    :param periodic: whether its schedule has intervals, which can be backfilled.
    :param within_a_day: whether a day has several intervals.
    """

    dag_id: str
    description: str
    schedule: str
    timezone: str
    paused: bool
    broken: bool
    source: Mapping[str, str]
    settings: Mapping[str, str]
    window: tuple[dt.datetime, dt.datetime, dt.datetime] | None
    runs_at_once: int
    periodic: bool
    within_a_day: bool

    @property
    def name(self) -> str:
        """The name of the feed; the DAG's id for other DAGs."""
        return feed_name(self.dag_id)

    @property
    def is_feed(self) -> bool:
        """Whether it is a feed, which has windows and plans."""
        return is_feed(self.dag_id)


def feed_views(session: Session, dag_ids: frozenset[str]) -> list[FeedView]:
    """Return the feeds among some DAGs, by name."""
    models = session.scalars(select(DagModel).where(DagModel.dag_id.in_(dag_ids)).order_by(DagModel.dag_id))
    views = [_view(session, model) for model in models]
    return [view for view in views if view.is_feed]


def feed_view(session: Session, dag_id: str) -> FeedView | None:
    """Return one feed or DAG, or ``None`` if it does not exist."""
    model = session.get(DagModel, dag_id)
    return None if model is None else _view(session, model)


def _view(session: Session, model: Any) -> FeedView:
    dag = dag_of(model.dag_id, session)
    tasks = dag.task_dict if dag is not None else {}
    discover = tasks.get("discover")
    source = getattr(discover, "source", None)
    # The defaults of the trigger form are the feed's own values.
    said: dict[str, Any] = dag.params.dump() if dag is not None else {}
    start, end = model.next_dagrun_data_interval_start, model.next_dagrun_data_interval_end
    due = model.next_dagrun_create_after
    return FeedView(
        dag_id=model.dag_id,
        description=model.description or "",
        schedule=model.timetable_summary or "only by hand",
        timezone=str(getattr(getattr(dag, "timezone", None), "name", None) or "UTC"),
        paused=bool(model.is_paused),
        broken=bool(model.has_import_errors),
        source=_shown(source) if isinstance(source, dict) else {},
        settings=_shown(
            {
                "Kaltura connection": getattr(discover, "kaltura_conn_id", None),
                "AWS connection": getattr(discover, "aws_conn_id", None),
                "HTTP connection": getattr(discover, "http_conn_id", None),
                "If an entry exists": said.get("if_exists"),
                "Transfer": said.get("transfer"),
                "Runs at once": model.max_active_runs,
                "Owner": model.owners,
            }
        ),
        window=(start, end, due) if start and end and due else None,
        runs_at_once=int(model.max_active_runs or 1),
        periodic=bool(dag is not None and dag.timetable.periodic),
        within_a_day=_form_asks_for_times(dag),
    )


def _form_asks_for_times(dag: Any) -> bool:
    """Return whether the trigger form of a feed asks for the moment at which an interval begins, not for a day."""
    param = dag.params.get_param(DATE_PARAM) if dag is not None and DATE_PARAM in dag.params else None
    return param is not None and param.schema.get("format") == "date-time"


def _shown(values: Mapping[str, Any]) -> dict[str, str]:
    """Return fields as text without secrets, and leave out those that are not set."""
    return {
        str(name): printable(", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))
        for name, value in values.items()
        if value not in (None, "", [], {}, ())
    }


def import_errors(session: Session) -> list[str]:
    """Return the problems of feeds and of this package's DAG files, one line each: ``file:line: field: problem``."""
    rows = session.scalars(select(ParseImportError).where(ParseImportError.filename.contains(_CHECKS)))
    lines: list[str] = []
    for row in rows:
        said = (row.stacktrace or "").strip().splitlines()
        marks = [number for number, line in enumerate(said) if "FeedError" in line]
        found = said[marks[-1] + 1 :] if marks else said[-1:]
        lines += [printable(line.strip()) for line in found if line.strip()]
    return lines[:_MAX_ERRORS]
