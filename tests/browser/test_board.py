"""The board in a real browser: what people of each role see and do, and whether everybody can use it."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import requests

sys.path.insert(0, str(Path(__file__).parents[1] / "integration" / "board"))

if TYPE_CHECKING:
    from conftest import AirflowPage, Visitor
    from history import History
    from playwright.sync_api import Frame, Page

    from kaltura_sandbox import Sandbox

Visit = Callable[..., "Visitor"]

NEWS = "kaltura_feed_news"
DAY = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=3)
EVIL = "<script>alert(1)</script>.mp4"
RUN = f"scheduled__{(DAY + dt.timedelta(days=1)).isoformat()}T00:00:00%2B00:00"


@pytest.fixture(scope="module")
def stored(airflow_page: AirflowPage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[History, str]]:
    """A feed with an upload under way, arrived items and failed ones."""
    from history import History, arrived

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KALTURA_FEEDS_FOLDER", "")
        history = History(tmp_path_factory.mktemp("feeds") / "feeds")
        history.feeds("news", "archive")
        history.clear()
        films = [arrived(f"s3://media/film-{number}.mp4", number, host=airflow_page.url) for number in range(1, 30)]
        films[0] = arrived(f"s3://media/{EVIL}", 1, host=airflow_page.url, name=EVIL)
        history.run("archive", DAY, assets=films)
        going = history.run("news", DAY + dt.timedelta(days=2), state="running")
        yield history, going
        history.clear()


@pytest.fixture
def board(stored: tuple[History, str]) -> tuple[History, str]:
    """The stored runs with a failure, and an upload at a quarter."""
    from history import failed

    history, going = stored
    history.remove("news", DAY)
    history.run("news", DAY, failures=[failed("s3://media/broken.mp4", "the object is gone")])
    said = {"name": "a.mp4", "bytes": 250, "size": 1000, "percent": 25.0, "rate": 10, "seconds_left": 75}
    history.uploading("news", going, said)
    return history, going


def open_board(visitor: Visitor, query: str = "") -> Page:
    page = visitor.open(f"/kaltura/board{query}")
    page.get_by_role("heading", name="Totals by day and feed").wait_for()
    return page


def test_a_viewer_signs_in_and_may_change_nothing(visit: Visit, board: object) -> None:
    visitor = visit(None)
    page = visitor.open("/auth/login?next=/airflow/kaltura/board")
    page.get_by_label("Username").fill("viewer")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{visitor.airflow.url}/kaltura/board")
    page.get_by_text("broken.mp4", exact=True).wait_for()
    assert page.get_by_role("button", name="Retry the chosen items").count() == 0


def test_a_user_starts_a_failed_item_again(visit: Visit, board: tuple[History, str]) -> None:
    history, _ = board
    page = open_board(visit("user"))
    page.get_by_label("Choose broken.mp4").check()
    page.get_by_role("button", name="Retry the chosen items").click()
    page.get_by_role("status").get_by_text("1 item of 1 run starts again").wait_for()
    states = history.states("news", history.run_id(DAY))
    assert states["run"] == "queued"
    assert states["batch.ingest[0]"] == "None"
    assert states["discover[-1]"] == "success"
    page.get_by_role("link", name="Reload the board").click()
    page.get_by_text("Nothing failed on these days").wait_for()


def test_progress_moves_without_a_reload(visit: Visit, board: tuple[History, str]) -> None:
    history, going = board
    page = open_board(visit("viewer"))
    page.evaluate("window.kept = true; document.querySelector('[name=q]').focus()")
    page.get_by_text("250 Bytes of 1.0 kB (25 %)").wait_for()
    said = {"name": "a.mp4", "bytes": 750, "size": 1000, "percent": 75.0, "rate": 10, "seconds_left": 25}
    history.uploading("news", going, said)
    page.get_by_text("750 Bytes of 1.0 kB (75 %)").wait_for()
    assert page.get_by_role("progressbar", name="Upload of a.mp4").get_attribute("value") == "75.0"
    assert page.evaluate("window.kept && document.activeElement.name") == "q"


def test_a_refresh_takes_nothing_from_under_the_reader(visit: Visit, board: tuple[History, str]) -> None:
    from history import arrived

    history, _ = board
    day, films = DAY + dt.timedelta(days=1), [arrived("s3://media/film-90.mp4", 90)]
    history.remove("news", day)
    run_id = history.run("news", day, state="running", assets=films)
    page = visit("user").open(f"/kaltura/run?dag_id={NEWS}&run_id={quote(run_id)}")
    answered = f"**/kaltura/run?dag_id={NEWS}&run_id=*"
    page.get_by_role("button", name="Play film-90.mp4").hover()
    page.mouse.down()
    with page.expect_response(answered):
        pass
    page.wait_for_timeout(500)
    page.mouse.up()
    page.locator("dialog[open]").wait_for()
    history.remove("news", day)
    history.run("news", day, assets=films)
    for _ in range(2):
        with page.expect_response(answered):
            pass
    page.wait_for_timeout(500)
    assert page.locator("dialog[open]").is_visible()
    page.keyboard.press("Escape")
    page.get_by_text("success", exact=True).wait_for()
    page.get_by_role("button", name="Play film-90.mp4").wait_for()


def test_names_are_text(visit: Visit, board: object) -> None:
    visitor = visit("admin")
    visitor.page.on("dialog", lambda dialog: pytest.fail(f"the page ran a script: {dialog.message}"))
    page = open_board(visitor)
    assert page.get_by_role("heading", name=EVIL).first.is_visible()
    page.get_by_role("button", name=f"Play {EVIL}").click()
    assert page.locator("dialog h2").inner_text() == EVIL


def test_the_player_opens_in_place_by_keyboard(visit: Visit, board: object) -> None:
    page = open_board(visit("viewer"))
    page.get_by_role("button", name="Play film-2.mp4").focus()
    page.keyboard.press("Enter")
    video = page.locator("dialog[open] video")
    assert (video.get_attribute("src") or "").endswith("/play/0_00000002.mp4")
    page.keyboard.press("Escape")
    page.locator("dialog[open]").wait_for(state="detached")
    assert page.locator("#player video").get_attribute("src") is None
    assert page.evaluate("document.activeElement.dataset.name") == "film-2.mp4"


def test_times_are_in_the_zone_of_the_reader(visit: Visit, board: object) -> None:
    shown = {}
    for zone in ("Europe/Berlin", "America/Los_Angeles"):
        page = open_board(visit("viewer", timezone_id=zone, locale="en-GB"))
        shown[zone] = page.locator(".gallery time").first.inner_text()
        assert page.locator(".gallery time").first.get_attribute("title").endswith("UTC")
    assert shown["Europe/Berlin"] != shown["America/Los_Angeles"]


def test_a_day_is_planned_from_the_page_of_the_feed(visit: Visit, board: tuple[History, str]) -> None:
    page = visit("user").open(f"/kaltura/feed?dag_id={NEWS}")
    page.get_by_label("Day, in UTC", exact=True).fill("2026-02-03")
    page.get_by_role("button", name="Plan", exact=True).click()
    page.get_by_role("link", name="See its plan").click()
    page.get_by_role("heading", name="news 2026-02-03").wait_for()
    assert page.get_by_text("queued", exact=True).is_visible()


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)], ids=["light desk", "dark phone"])
def test_everybody_can_use_every_page(visit: Visit, board: object, theme: str, width: int) -> None:
    from axe_playwright_python.sync_playwright import Axe

    visitor = visit("user", color_scheme=theme, viewport={"width": width, "height": 900})
    pages = {
        "board": "board",
        "empty": "board?since=2020-01-01&until=2020-01-02",
        "feed": f"feed?dag_id={NEWS}",
        "feeds": "feeds",
        "run": f"run?dag_id=kaltura_feed_archive&run_id={RUN}",
    }
    for name, path in pages.items():
        page = visitor.open(f"/kaltura/{path}")
        found: Any = Axe().run(page).response["violations"]
        serious = [
            f"{item['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
            for item in found
            if item["impact"] in ("serious", "critical")
            for node in item["nodes"]
        ]
        assert not serious, (name, serious[:5])
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{name} scrolls sideways"
        visitor.shot(f"{name}-{theme}-{width}")


def test_a_connection_is_made_in_its_form_and_tested(
    visit: Visit, kaltura_sandbox_server: Sandbox, airflow_page: AirflowPage
) -> None:
    page = visit("admin").open("/connections")
    page.get_by_role("button", name="Add Connection").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Connection ID").fill("kaltura_typed")
    form.get_by_label("Connection Type").fill("kaltura")
    form.get_by_role("option", name="Kaltura").click()
    form.get_by_label("Service URL").fill(kaltura_sandbox_server.url)
    form.get_by_label("Partner id").fill(str(kaltura_sandbox_server.partner_id))
    form.get_by_placeholder("admin secret").fill(kaltura_sandbox_server.admin_secret)
    form.get_by_role("button", name="Save").click()
    row = page.get_by_role("row").filter(has_text="kaltura_typed")
    with page.expect_response("**/connections/test") as tested:
        row.get_by_role("button", name="Test Connection").click()
    assert tested.value.json()["status"] is True


def test_the_trigger_form_starts_a_run_that_the_board_shows(visit: Visit, stored: object) -> None:
    visitor = visit("user")
    page = visitor.open("/dags/kaltura_ingest")
    page.locator('button:text("Trigger")').first.click()
    form = page.get_by_role("dialog")
    form.locator("[name=element_sources]").fill("s3://media/film.mp4")
    form.get_by_role("button", name="Trigger", exact=True).click()
    page.wait_for_url("**/dags/kaltura_ingest/runs/manual__*")
    page.goto(f"{page.url.partition('?')[0]}/plugin/kaltura-run")
    frame = board_in(visitor)
    assert "run_id=manual__" in frame.url
    frame.get_by_text("queued", exact=True).wait_for()


# What a page of a plugin can do inside Airflow's page, which shows it in a sandboxed frame.


def board_in(visitor: Visitor) -> Frame:
    """Return the frame with the board, once it has loaded."""
    visitor.page.wait_for_selector("iframe[title=Kaltura]")
    visitor.page.frame_locator("iframe[title=Kaltura]").locator("h1").wait_for(state="attached")
    (frame,) = [one for one in visitor.page.frames if one.parent_frame and "/kaltura/" in one.url]
    return frame


def test_the_board_opens_from_the_menu_below_a_path(visit: Visit, airflow_page: AirflowPage) -> None:
    visitor = visit("viewer")
    page = visitor.open("/")
    page.get_by_role("button", name="Browse").click()
    page.get_by_role("menuitem", name="Kaltura").click()
    assert board_in(visitor).url == f"{airflow_page.url}/kaltura/board"
    sandbox = page.locator("iframe[title=Kaltura]").get_attribute("sandbox") or ""
    assert "allow-popups" not in sandbox  # otherwise links need no help
    assert "allow-top-navigation" not in sandbox


def test_the_outer_address_follows_and_survives_a_reload(visit: Visit, airflow_page: AirflowPage) -> None:
    visitor = visit("viewer")
    visitor.open("/plugin/kaltura")
    frame = board_in(visitor)
    frame.get_by_label("Text").fill("lecture")
    frame.get_by_role("button", name="Filter").click()
    visitor.page.wait_for_url("**q=lecture**")
    visitor.page.reload()
    assert "q=lecture" in board_in(visitor).url
    assert board_in(visitor).get_by_label("Text").input_value() == "lecture"


def test_links_leave_the_frame(visit: Visit, airflow_page: AirflowPage) -> None:
    visitor = visit("viewer")
    visitor.open("/plugin/kaltura")
    frame = board_in(visitor)
    # Without help, the sandbox stops both.
    frame.evaluate("""() => {
        for (const target of ["_blank", "_top"]) {
            const link = document.createElement("a");
            Object.assign(link, {href: "/airflow/dags", target, id: `plain${target}`, textContent: target});
            document.body.append(link);
        }
    }""")
    for target in ("_blank", "_top"):
        frame.locator(f"#plain{target}").evaluate("link => link.click()")
    visitor.page.wait_for_timeout(300)
    assert len(visitor.context.pages) == 1
    assert visitor.page.url.startswith(f"{airflow_page.url}/plugin/")

    frame.evaluate(f"""() => {{
        const link = document.createElement("a");
        Object.assign(link, {{href: "{airflow_page.url}/api/v2/version", id: "out", textContent: "out"}});
        link.dataset.leave = "new";
        document.body.append(link);
    }}""")
    with visitor.context.expect_page() as opened:
        frame.locator("#out").evaluate("link => link.click()")
    assert opened.value.url.endswith("/api/v2/version")
    frame.evaluate("""() => {
        const link = document.querySelector("#out");
        link.href = "../dags/kaltura_ingest";
        link.dataset.leave = "";
        link.click();
    }""")
    visitor.page.wait_for_url(f"{airflow_page.url}/dags/kaltura_ingest**")


def test_a_link_that_is_a_script_does_nothing(visit: Visit) -> None:
    visitor = visit("viewer")
    visitor.open("/plugin/kaltura")
    frame = board_in(visitor)
    frame.evaluate("""() => {
        const link = document.createElement("a");
        Object.assign(link, {href: "javascript:parent.broken=1", id: "script", textContent: "script"});
        link.dataset.leave = "";
        document.body.append(link);
        link.click();
    }""")
    visitor.page.wait_for_timeout(200)
    assert visitor.page.evaluate("window.broken") is None


def test_the_theme_is_that_of_airflow(visit: Visit) -> None:
    visitor = visit("viewer", color_scheme="dark")
    visitor.open("/plugin/kaltura")
    frame = board_in(visitor)
    background = "getComputedStyle(document.body).backgroundColor"
    assert frame.evaluate("document.documentElement.classList.contains('dark')")
    theirs = "getComputedStyle(document.documentElement).getPropertyValue('--chakra-colors-bg').trim()"
    assert frame.evaluate(background) == visitor.page.evaluate(theirs)
    # The reader changes it in Airflow, as its menu does.
    visitor.page.evaluate("""() => {
        localStorage.setItem("theme", "light");
        document.documentElement.classList.replace("dark", "light");
        document.documentElement.style.colorScheme = "light";
    }""")
    frame.wait_for_function("document.documentElement.classList.contains('light')")
    assert frame.evaluate(background) == "rgb(255, 255, 255)"


def test_a_cookie_and_a_bearer_open_the_board(airflow_page: AirflowPage) -> None:
    address = f"{airflow_page.url}/kaltura/board"
    assert requests.get(address, timeout=30).status_code == 401
    assert airflow_page.get("/kaltura/board", user="viewer").status_code == 200
    cookie = {"_token": airflow_page.token("viewer")}
    assert requests.get(address, cookies=cookie, timeout=30).status_code == 200


def test_only_the_board_can_show_the_board(airflow_page: AirflowPage) -> None:
    policy = airflow_page.get("/kaltura/board").headers["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in policy
    assert "unsafe" not in policy
