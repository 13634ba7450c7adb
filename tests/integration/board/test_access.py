"""Who may see and do what on the board."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from history import History, arrived, failed

if TYPE_CHECKING:
    from conftest import Api

DAY = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=3)
NEWS, ARCHIVE = "kaltura_feed_news", "kaltura_feed_archive"
DATES = {"first": "2026-01-01", "last": "2026-01-03"}
FORM = {"item": "1:0", "dag_id": NEWS, "date": "2026-01-01", **DATES}
CHANGES = ["retry", "plan", "backfill-plan", "backfill"]


def routes() -> list[Any]:
    from kaltura_provider.board.app import app

    return list(app.routes)


def needs_dag(dependant: Any) -> bool:
    return any(param.name == "dag_id" for param in dependant.query_params) or any(
        needs_dag(inner) for inner in dependant.dependencies
    )


def address(route: Any, dag_id: str = NEWS) -> str:
    query = f"?dag_id={dag_id}&run_id=x&first=2026-01-01&last=2026-01-03" if needs_dag(route.dependant) else ""
    return f"/kaltura{route.path.replace('{name}', 'board.css')}{query}"


def item_of(history: History, feed: str, run_id: str) -> str:
    """Return how the board's pages name the first failure of a run."""
    from kaltura_provider.board.records import RECORDS

    run = RECORDS.by_number(history.number(feed, run_id))
    assert run is not None
    return f"{run.id}:{run.failures[0].key}"


@pytest.fixture
def only_news(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody have anything to do with the feed ``archive``."""
    from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager

    allowed = SimpleAuthManager.is_authorized_dag

    def is_authorized_dag(self: Any, *, details: Any = None, **values: Any) -> bool:
        return (details is None or details.id != ARCHIVE) and allowed(self, details=details, **values)

    monkeypatch.setattr(SimpleAuthManager, "is_authorized_dag", is_authorized_dag)


def test_every_route_needs_a_user(api: Api) -> None:
    seen = set()
    for route in routes():
        for method in route.methods:
            form = FORM if method == "POST" else None
            reply = api.client.request(method, address(route), data=form, headers={"X-Kaltura-Board": "1"})
            assert reply.status_code == 401, (method, route.path)
            assert "kaltura_feed" not in reply.text
            seen.add(route.path)
    assert seen == {
        "/board", "/now", "/run", "/feeds", "/feed", "/windows.csv", "/static/{name}", "/retry", "/plan",
        "/backfill-plan", "/backfill-size", "/backfill", "/thumbnail",
    }  # fmt: skip
    assert api.get("openapi.json", user="admin").status_code == 404
    assert api.get("docs", user="admin").status_code == 404


def test_a_forged_token_is_refused(api: Api) -> None:
    assert api.client.get("/kaltura/board", headers={"Authorization": "Bearer a.b.c"}).status_code == 403


def test_a_cookie_is_as_good_as_a_bearer(api: Api) -> None:
    token = api.headers("viewer")["Authorization"].removeprefix("Bearer ")
    assert api.client.get("/kaltura/board", headers={"Cookie": f"_token={token}"}).status_code == 200


def test_pages_of_a_dag_need_its_permission(api: Api, history: History, only_news: None) -> None:
    history.run("archive", DAY, assets=[arrived("s3://media/a.mp4", 1)])
    checked = [route for route in routes() if "GET" in route.methods and needs_dag(route.dependant)]
    assert len(checked) == 4
    for route in checked:
        for dag_id in (ARCHIVE, "kaltura_feed_unknown", ""):
            reply = api.client.get(address(route, dag_id), headers=api.headers("admin"))
            assert reply.status_code == 403, (route.path, dag_id)


def test_lists_hold_only_what_the_user_may_read(api: Api, history: History, only_news: None) -> None:
    history.run("news", DAY, assets=[arrived("s3://media/visible.mp4", 1)], failures=[failed("s3://media/plain.mp4")])
    history.run("archive", DAY, assets=[arrived("s3://media/secret.mp4", 2)], failures=[failed("s3://media/hid.mp4")])
    run = history.run("archive", DAY + dt.timedelta(days=1), state="running")
    history.uploading("archive", run, {"name": "covert.mp4", "bytes": 1, "size": 2, "percent": 50, "rate": 1})
    for path in ("board", "now", "feeds"):
        text = api.get(path, user="admin").text
        for hidden in ("secret.mp4", "hid.mp4", "covert.mp4", "archive"):
            assert hidden not in text, (path, hidden)
    number = history.number("archive", run)
    assert api.get("thumbnail", user="admin", run=number, entry="0_00000002").status_code == 403
    assert "visible.mp4" in api.get("board").text
    assert "plain.mp4" in api.get("board").text
    assert "secret.mp4" not in api.get("board", feed=ARCHIVE).text


@pytest.mark.parametrize("path", CHANGES)
def test_changes_need_the_permission_to_trigger(api: Api, history: History, only_news: None, path: str) -> None:
    run = history.run("news", DAY, failures=[failed("s3://media/a.mp4")])
    other = history.run("archive", DAY, failures=[failed("s3://media/b.mp4")])
    mine, theirs = item_of(history, "news", run), item_of(history, "archive", other)
    assert api.post(path, user="viewer", item=mine, dag_id=NEWS, date="2026-01-01", **DATES).status_code == 403
    for user in ("user", "admin"):
        reply = api.post(path, user=user, item=[mine, theirs], dag_id=ARCHIVE, date="2026-01-01", **DATES)
        assert reply.status_code == 403
    assert history.states("news", run)["run"] == "failed"
    assert history.states("archive", other)["run"] == "failed"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Kaltura-Board": "1", "Origin": "https://evil.example"},
        {"X-Kaltura-Board": "1", "Sec-Fetch-Site": "cross-site"},
        {"X-Kaltura-Board": "1", "Sec-Fetch-Site": "same-site"},
    ],
    ids=["no header", "other origin", "cross-site", "same-site"],
)
def test_changes_come_from_the_board_only(api: Api, history: History, headers: dict[str, str]) -> None:
    run = history.run("news", DAY, failures=[failed("s3://media/a.mp4")])
    item = item_of(history, "news", run)
    for path in CHANGES:
        reply = api.post(path, headers=headers, item=item, dag_id=NEWS, date="2026-01-01", **DATES)
        assert reply.status_code == 403, path
    assert history.states("news", run)["run"] == "failed"


def test_only_failed_batches_start_again(api: Api, history: History) -> None:
    failures = [failed("s3://media/a.mp4", batch=1), failed("s3://media/b.mp4", batch=2)]
    run = history.run("news", DAY, batches=3, assets=[arrived("s3://media/ok.mp4", 1)], failures=failures)
    item = item_of(history, "news", run)
    reply = api.post("retry", item=item)
    assert reply.status_code == 200, reply.text
    states = history.states("news", run)
    assert states["run"] == "queued"
    assert {name for name, state in states.items() if state == "None"} == {
        "batch.ingest[1]", "batch.ready[1]", "summary[-1]",
    }  # fmt: skip
    # What starts again is not listed as failed any more, and cannot be started twice.
    assert "a.mp4" not in api.get("board").text
    assert api.post("retry", item=item).status_code == 409


@pytest.mark.parametrize(
    "item",
    ["x", "1", "1:x", "-1:0", "99999999:0", "9" * 5000],
    ids=["text", "no key", "no failure", "negative", "unknown", "long"],
)
def test_an_unknown_item_starts_nothing(api: Api, history: History, item: str) -> None:
    assert api.post("retry", item=item).status_code in (409, 422)


def test_a_plan_is_a_dry_run(api: Api, history: History) -> None:
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    reply = api.post("plan", dag_id=NEWS, date="2026-02-03")
    assert reply.status_code == 200, reply.text
    with create_session() as session:
        (run,) = session.query(DagRun).filter_by(dag_id=NEWS).all()
        assert run.conf == {"date": "2026-02-03", "dry_run": True}
        assert run.triggering_user_name == "user"
        run_id = run.run_id
    assert run_id.split("+")[0].replace(":", "%3A") in reply.text
    assert api.get("run", dag_id=NEWS, run_id=run_id).status_code == 200


def test_what_only_starters_may_do_is_offered_only_to_them(api: Api, history: History) -> None:
    history.run("news", DAY, failures=[failed("s3://media/a.mp4")])
    assert "Retry the chosen" not in api.get("board", user="viewer").text
    assert "Retry the chosen" in api.get("board", user="user").text
    for form in ("plan", "backfill-plan"):
        assert f'hx-post="{form}"' not in api.get("feed", user="viewer", dag_id=NEWS).text
        assert f'hx-post="{form}"' in api.get("feed", user="user", dag_id=NEWS).text
