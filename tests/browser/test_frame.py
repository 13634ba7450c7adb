"""What a page of a plugin can do inside Airflow's page, which shows it in a sandboxed frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import requests

if TYPE_CHECKING:
    from conftest import AirflowPage, Visitor
    from playwright.sync_api import Frame

Visit = Callable[..., "Visitor"]


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
    frame.locator("a[data-leave]", has_text="trigger kaltura_ingest").first.click()
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
