"""The pages of the board. They only read."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from airflow.api_fastapi.common.db.common import SessionDep
from airflow.models.dagrun import DagRun
from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import FileResponse, Response
from sqlalchemy import select

from kaltura_provider.board.access import ReadableDag, ReadableDags, User, may_see_errors, may_start
from kaltura_provider.board.activity import ACTIVITY
from kaltura_provider.board.backfill import AGAIN, Dates, outlook, query_dates
from kaltura_provider.board.calendar import months, weeks, windows
from kaltura_provider.board.dags import connection_of
from kaltura_provider.board.feeds import feed_view, feed_views, import_errors
from kaltura_provider.board.records import RECORDS
from kaltura_provider.board.rendering import STATIC, origins, protect, render
from kaltura_provider.board.selection import Arrived, Failed, Selection, arrived, failed, selection
from kaltura_provider.board.text import is_feed
from kaltura_provider.board.thumbnails import KEPT, THUMBNAILS
from kaltura_provider.board.totals import charts, totals

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kaltura_provider.board.feeds import FeedView

__all__ = ["pages"]

pages = APIRouter()

Chosen = Annotated[Selection, Depends(selection)]

_MAX_FAILED = 200
_STATIC_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@pages.get("/board")
def board(request: Request, user: User, readable: ReadableDags, chosen: Chosen) -> Response:
    """Show what is under way, what failed and what arrived."""
    runs = chosen.runs(RECORDS.runs(readable))
    found = totals(runs)
    inbox = failed(runs, chosen.text)
    gallery = arrived(runs, chosen.text, chosen.page)
    values = {
        **_now(readable, chosen),
        "dag_ids": _with_items(readable),
        "totals": found,
        "charts": charts(found, chosen.since, chosen.until),
        "inbox": inbox[:_MAX_FAILED],
        "inbox_total": len(inbox),
        "startable": _startable(user, {row.run.dag_id for row in inbox}),
        "gallery": gallery,
        "unread": RECORDS.unread,
        "last_run": runs[0] if runs else None,
    }
    return render(request, "board.html", values, media=_pictures(row.item.urls for row in gallery.rows))


@pages.get("/now")
def now(request: Request, readable: ReadableDags, chosen: Chosen) -> Response:
    """Show what is under way, without the page around it."""
    return render(request, "now.html", _now(readable, chosen))


@pages.get("/run")
def one_run(
    request: Request, user: User, dag_id: ReadableDag, session: SessionDep, run_id: Annotated[str, Query()]
) -> Response:
    """Show what one run did: the report of a window, or the plan of a dry run."""
    run = RECORDS.run(dag_id, run_id)
    if run is None:
        raise HTTPException(404, f"The DAG {dag_id} has no run {run_id}. It may have been deleted.")
    view = feed_view(session, dag_id)
    found = windows([run], view.timezone if view is not None else "UTC")
    activity = ACTIVITY.current(frozenset({dag_id}))
    values = {
        "run": run,
        "window": found[0] if found else None,
        "dry": RECORDS.plan(session, run) if run.plan is not None else None,
        "failed": [Failed(run, item) for item in run.failures] if run.finished else [],
        "arrived": [Arrived(run, item) for item in run.arrivals],
        "startable": _startable(user, {dag_id}),
        "now": activity.of_run(run.run_id),
    }
    response = render(request, "run.html", values, media=_pictures(item.urls for item in run.arrivals))
    if run.finished and "hx-request" in request.headers:
        # The policy of the page was made when nothing had arrived, so it would load no picture and no video.
        response.headers["HX-Refresh"] = "true"
    return response


@pages.get("/feeds")
def feeds(request: Request, user: User, readable: ReadableDags, session: SessionDep) -> Response:
    """Show the feeds, and the problems of those that cannot run."""
    values = {
        "feeds": feed_views(session, readable),
        "errors": import_errors(session) if may_see_errors(user) else None,
        "by_feed": totals(selection().runs(RECORDS.runs(readable))).by_feed,
    }
    return render(request, "feeds.html", values)


@pages.get("/feed")
def feed(
    request: Request,
    user: User,
    dag_id: ReadableDag,
    session: SessionDep,
    month: Annotated[str, Query(pattern=r"^(\d{4}-\d{2})?$")] = "",
) -> Response:
    """Show a feed as Airflow has read it, and its windows as a calendar."""
    view = feed_view(session, dag_id)
    if view is None:
        raise HTTPException(404, f"The DAG {dag_id} does not exist.")
    found = windows(RECORDS.runs(frozenset({dag_id})), view.timezone)
    known = months(found)
    shown = next((one for one in known if one.strftime("%Y-%m") == month), known[0] if known else None)
    place = known.index(shown) if shown else 0
    name = view.name
    values = {
        "feed": view,
        "errors": [line for line in import_errors(session) if name in line] if may_see_errors(user) else [],
        "startable": may_start(user, dag_id),
        "plan_day": _days_ago(view, 0),
        "last_days": (_days_ago(view, 7), _days_ago(view, 1)),
        "choices": AGAIN,
        "moving": any(not window.run.finished for window in found),
        "month": shown,
        "older": known[place + 1] if place + 1 < len(known) else None,
        "newer": known[place - 1] if place > 0 else None,
        "weeks": weeks(found, shown) if shown else [],
    }
    return render(request, "feed.html", values)


@pages.get("/backfill-size")
def backfill_size(
    request: Request,
    dag_id: ReadableDag,
    session: SessionDep,
    run_id: Annotated[str, Query()],
    dates: Annotated[Dates, Depends(query_dates)],
) -> Response:
    """Show what a backfill would bring in, once its dry run has ended."""
    run = RECORDS.run(dag_id, run_id)
    view = feed_view(session, dag_id)
    if run is None or view is None:
        raise HTTPException(404, f"The DAG {dag_id} has no run {run_id}. It may have been deleted.")
    sums = None
    if run.plan is not None:
        dry = RECORDS.plan(session, run)
        found = outlook(session, view, dates)
        sums = found.sums(dry.windows) if dry.windows else None
    return render(request, "backfill_size.html", {"feed": view, "run": run, "dates": dates, "sums": sums})


@pages.get("/thumbnail")
def thumbnail(
    readable: ReadableDags,
    session: SessionDep,
    run: Annotated[int, Query(ge=1, le=2**63 - 1)],
    entry: Annotated[str, Query(max_length=40)],
) -> Response:
    """Return the thumbnail of an entry that a run brought in, if Kaltura shows it only to those with a session."""
    known = RECORDS.by_number(run)
    if known is None or known.dag_id not in readable:
        raise HTTPException(403, "You may not read this run, or it does not exist.")
    if entry not in {item.entry_id for item in known.arrivals}:
        raise HTTPException(404, f"This run did not bring in the entry {entry}.")
    conf = session.scalar(select(DagRun.conf).where(DagRun.id == run))
    picture = THUMBNAILS.of(connection_of(session, known.dag_id, conf), entry)
    if picture is None:
        raise HTTPException(404, f"Kaltura shows no thumbnail of the entry {entry}.")
    headers = {"Cache-Control": f"private, max-age={KEPT:.0f}"}
    return protect(Response(picture.content, media_type=picture.media_type, headers=headers))


@pages.get("/windows.csv")
def windows_csv(dag_id: ReadableDag, session: SessionDep) -> Response:
    """Return the windows of a feed as a table for spreadsheets."""
    view = feed_view(session, dag_id)
    found = windows(RECORDS.runs(frozenset({dag_id})), view.timezone if view is not None else "UTC")
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(("window", "state", "found", "ingested", "there_before", "failed", "left_out", "bytes", "run_id"))
    for window in found:
        run = window.run
        counts = (window.found, window.ingested, window.there, window.failed, run.left_out, run.size)
        # A spreadsheet would compute a cell that begins like a formula.
        name = run.run_id if run.run_id[:1].isalnum() else f"'{run.run_id}"
        table.writerow((window.begins.isoformat(), window.state, *counts, name))
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(dag_id)}.csv"}
    return protect(Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers))


@pages.get("/static/{name}")
def static(name: str) -> Response:
    """Return a script or a style sheet."""
    path = STATIC / name
    if name not in {file.name for file in STATIC.iterdir()} or path.suffix not in _STATIC_TYPES:
        raise HTTPException(404, f"The board has no file {name}.")
    response = FileResponse(
        path, media_type=_STATIC_TYPES[path.suffix], headers={"Cache-Control": "private, max-age=3600"}
    )
    return protect(response)


def _days_ago(feed: FeedView, days: int) -> dt.date:
    """Return a day before the one on which the next window of a feed begins; before today if it has none."""
    moment = feed.window[0] if feed.window else dt.datetime.now(dt.UTC)
    return moment.astimezone(ZoneInfo(feed.timezone)).date() - dt.timedelta(days=days)


def _now(readable: frozenset[str], chosen: Selection) -> dict[str, Any]:
    shown = readable & {chosen.feed} if chosen.feed else readable
    return {"chosen": chosen, "now": ACTIVITY.current(shown)}


def _with_items(readable: frozenset[str]) -> list[str]:
    """Return the feeds, and the other DAGs that have brought in items."""
    others = {run.dag_id for run in RECORDS.runs(readable) if run.arrivals or run.failures}
    return sorted(set(filter(is_feed, readable)) | others)


def _startable(user: Any, dag_ids: Iterable[str]) -> frozenset[str]:
    return frozenset(dag_id for dag_id in dag_ids if may_start(user, dag_id))


def _pictures(urls: Iterable[tuple[str, ...]]) -> set[str]:
    return origins(url for group in urls for url in group[:2])
