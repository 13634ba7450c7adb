"""The board beside a real scheduler: from the trigger form to the player, failures and their repair, and backfills."""

from __future__ import annotations

import hashlib
import re
import subprocess
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import imageio_ffmpeg
import pytest

from tests.browser.conftest import SCREENS
from tests.integration.scheduler.live import BUCKET, Live, deployed

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# Starting Airflow on a busy machine takes minutes.
pytestmark = pytest.mark.timeout(600)

DAY = "{{ data_interval_start | ds }}"
DAILY = "kaltura_feed_daily"
PATIENCE = 150_000


def feeds(bucket: str, site: str) -> list[dict[str, Any]]:
    daily = {"start_date": "2024-03-01", "end_date": "2024-12-31", "schedule": "@daily", "retries": 0}
    source = {"type": "s3_prefix", "uri": f"s3://{bucket}/daily/{DAY}/"}
    slow = {"source": {"type": "s3_prefix", "uri": f"s3://{bucket}/slow/"}, "upload": {"bandwidth": 700_000}}
    # Airflow runs one backfill of a feed at a time, and takes a while to notice that one has ended.
    return [
        *({"name": name, "source": source, **daily} for name in ("daily", "other")),
        {"name": "slow", **slow, **daily},
    ]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with deployed(tmp_path_factory.mktemp("live"), feeds) as made:
        for number, day in enumerate(("2024-03-01", "2024-03-02", "2024-03-03", "2024-03-05"), 1):
            made.put(f"daily/{day}/clip-{day}.mp4", clip(number))
        yield made


def clip(number: int) -> bytes:
    """Return a video of 2 seconds."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", "testsrc=size=320x180:rate=25"]
    shape = ["-t", "2", "-pix_fmt", "yuv420p", "-vf", f"hue=h={number * 40}", "-movflags", "frag_keyframe+empty_moov"]
    made = subprocess.run([*command, *shape, "-f", "mp4", "-"], check=True, capture_output=True, timeout=60)
    return made.stdout


@pytest.fixture
def page(browser: Browser, live: Live) -> Iterator[Page]:
    """A browser at Airflow's first page, which signs everybody in."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, timezone_id="UTC")
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(live.airflow.page)
    page.get_by_role("button", name="Browse").wait_for()
    yield page
    shot(page, "live-last")
    context.close()


def board(live: Live, page: Page, path: str = "board") -> Page:
    page.goto(f"{live.airflow.page}/kaltura/{path}")
    return page


def shot(page: Page, name: str) -> None:
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENS / f"{name}.png")


def until(page: Page, truth: str) -> None:
    """Wait until an expression is true. The policy of the page forbids Playwright's own way."""
    deadline = time.monotonic() + PATIENCE / 1000
    while not page.evaluate(truth):
        assert time.monotonic() < deadline, f"never true: {truth}"
        page.wait_for_timeout(200)


def type_and_trigger(live: Live, page: Page, *lines: str) -> str:
    """Fill the trigger form, and return the id of the run for an address."""
    page.goto(f"{live.airflow.page}/dags/kaltura_ingest")
    page.locator('button:text("Trigger")').first.click()
    form = page.get_by_role("dialog")
    form.locator("[name=element_sources]").fill("\n".join(lines))
    shot(page, "live-form")
    form.get_by_role("button", name="Trigger", exact=True).click()
    page.wait_for_url("**/dags/kaltura_ingest/runs/manual__*")
    (run_id,) = re.findall(r"/runs/(manual__[^/?]+)", page.url)
    return quote(unquote(run_id), safe="")


def test_a_video_comes_from_the_form_and_plays(live: Live, page: Page) -> None:
    uri = live.put("typed/clip.mp4", clip(9))
    run_id = type_and_trigger(live, page, uri, "")
    board(live, page, f"run?dag_id=kaltura_ingest&run_id={run_id}")
    page.get_by_text("success", exact=True).wait_for()
    page.get_by_role("button", name="Play clip.mp4").wait_for()
    until(page, "document.querySelector('img[data-thumbnail]').naturalWidth > 0")
    shot(page, "live-arrived")
    page.get_by_role("button", name="Play clip.mp4").click()
    until(page, "document.querySelector('dialog[open] video').currentTime > 0.2")
    shot(page, "live-player")
    assert page.locator("dialog[open] h2").inner_text() == "clip.mp4"


def test_a_failure_says_why_and_is_repaired(live: Live, page: Page) -> None:
    uri = f"s3://{BUCKET}/typed/late.mp4"
    run_id = type_and_trigger(live, page, live.put("typed/there.mp4", clip(8)), uri)
    board(live, page, f"run?dag_id=kaltura_ingest&run_id={run_id}")
    page.get_by_role("heading", name="Failed").wait_for()
    row = page.get_by_role("row").filter(has_text="late.mp4")
    assert "does not exist" in row.locator(".reason").inner_text()
    shot(page, "live-failed")
    live.put("typed/late.mp4", clip(7))
    row.get_by_role("checkbox").check()
    page.get_by_role("button", name="Retry the chosen items").click()
    page.get_by_text("1 item of 1 run starts again").wait_for()
    board(live, page, f"run?dag_id=kaltura_ingest&run_id={run_id}")
    page.get_by_role("button", name="Play late.mp4").wait_for()
    assert page.get_by_role("heading", name="Failed").count() == 0
    assert sorted(name for name, held in live.held().items() if len(held) != 1) == []


def test_a_backfill_from_airflows_dialog_fills_the_calendar(live: Live, page: Page) -> None:
    page.goto(f"{live.airflow.page}/dags/{DAILY}")
    page.locator('button:text("Trigger")').first.click()
    dialog = page.get_by_role("dialog", name="Run Backfill").or_(page.get_by_role("dialog").first)
    dialog.get_by_text("Backfill", exact=True).click()
    for day in ("2024/03/01", "2024/03/03"):
        dialog.get_by_text("Select date and time").first.click()
        page.locator("[placeholder='YYYY/MM/DD']:visible").fill(day)
        page.locator("[placeholder='HH:mm']:visible").fill("00:00")
        page.locator("[placeholder='HH:mm']:visible").press("Enter")
        dialog.get_by_text("Date Range", exact=True).click()
        # The calendar closes slowly, and there would be two.
        page.locator("[placeholder='YYYY/MM/DD']:visible").first.wait_for(state="detached")
    dialog.locator("[name=max_active_runs]").fill("3")
    dialog.get_by_text("3 runs").or_(dialog.get_by_text("3 Dag Runs")).first.wait_for()
    shot(page, "live-backfill-dialog")
    dialog.get_by_role("button", name="Run Backfill").click()
    dialog.wait_for(state="detached")
    page.goto(f"{live.airflow.page}/dags/{DAILY}/plugin/kaltura-feed")
    frame = page.frame_locator("iframe[title=Kaltura]")
    frame.locator(".window").nth(2).wait_for()
    # Nobody reloads the page.
    frame.locator(".window.done").nth(2).wait_for()
    said = [text.split() for text in frame.locator(".window.done").all_inner_texts()]
    assert said == [["done", "1", "new"]] * 3
    shot(page, "live-calendar")


def test_a_backfill_from_the_board_is_counted_before_it_starts(live: Live, page: Page) -> None:
    board(live, page, "feed?dag_id=kaltura_feed_other")
    form = page.locator("form[hx-post=backfill-plan]")
    form.get_by_label("First day").fill("2024-03-04")
    form.get_by_label("Last day").fill("2024-03-05")
    form.get_by_role("button").click()
    page.get_by_text("2 windows", exact=True).wait_for()
    size = len(clip(4))
    page.locator("#backfill-size").get_by_text(f"1 item, {size / 1000:.1f} kB").wait_for()
    shot(page, "live-backfill-size")
    page.get_by_role("button", name="Start this backfill").click()
    question = page.get_by_role("dialog", name="Start the backfill of other?")
    question.get_by_text("1 item").wait_for()
    shot(page, "live-backfill-question")
    question.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url("**#windows-title")
    page.locator(".window.done", has_text="1 new").first.wait_for()
    page.locator(".window[title^='2024-03-05']:has-text('1 new')").wait_for()
    # The same days again: there is nothing to do, and the page says so.
    form.get_by_label("First day").fill("2024-03-04")
    form.get_by_label("Last day").fill("2024-03-05")
    form.get_by_role("button").click()
    page.get_by_text(re.compile("All 2 windows have run|under way")).wait_for()
    assert len(live.held()["clip-2024-03-05"]) == 1


def test_progress_moves_while_a_file_goes_up(live: Live, page: Page) -> None:
    # Players skip a box of this type. It takes far longer to upload than the page needs to show that it moves.
    padding = 24_000_000
    video = clip(6) + padding.to_bytes(4, "big") + b"free" + bytes(padding - 8)
    live.put("slow/long.mp4", video)
    run = live.start("kaltura_feed_slow", date="2024-03-01")
    board(live, page)
    page.get_by_role("progressbar", name="Upload of long.mp4").wait_for()
    moved = "document.querySelector('progress')?.value"
    first = page.evaluate(moved)
    # Nobody reloads the page.
    until(page, f"{moved} > {first}")
    shot(page, "live-progress")
    assert 0 <= first < page.evaluate(moved) <= 100
    assert run.ended().state == "success"
    assert live.held()["long"] == [hashlib.sha256(video).hexdigest()]
