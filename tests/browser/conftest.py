"""Airflow's page in a real browser: an API server below a path, its users, and Chromium."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

USERS = {"viewer": "VIEWER", "user": "USER", "admin": "ADMIN"}
PASSWORD = "correct horse"
SCREENS = Path(__file__).parents[2] / "build" / "screens"
# Without these, Chromium looks up hosts of its maker.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if CHROMIUM is not None:
        return
    reason = "Chromium is not installed (Debian: apt-get install chromium)"
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=reason))


@dataclass
class AirflowPage:
    """An API server at a URL such as ``http://127.0.0.1:8080/airflow``."""

    url: str
    home: Path
    tokens: dict[str, str] = field(default_factory=dict)

    def token(self, user: str) -> str:
        if user not in self.tokens:
            reply = requests.post(f"{self.url}/auth/token", json={"username": user, "password": PASSWORD}, timeout=30)
            reply.raise_for_status()
            self.tokens[user] = reply.json()["access_token"]
        return self.tokens[user]

    def get(self, path: str, user: str = "admin") -> requests.Response:
        bearer = {"Authorization": f"Bearer {self.token(user)}"}
        return requests.get(f"{self.url}{path}", headers=bearer, timeout=30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def airflow_page(airflow_db: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AirflowPage]:
    """An API server with a viewer, a user and an admin, served below ``/airflow/``."""
    folder = tmp_path_factory.mktemp("api-server")
    passwords = folder / "passwords.json"
    passwords.write_text(json.dumps(dict.fromkeys(USERS, PASSWORD)))
    port = free_port()
    url = f"http://127.0.0.1:{port}/airflow"
    env = os.environ | {
        "AIRFLOW__API__BASE_URL": f"{url}/",
        "AIRFLOW__API__SECRET_KEY": "a secret of this test run " * 4,
        "AIRFLOW__API_AUTH__JWT_SECRET": "another secret of this test run " * 4,
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{name}:{role}" for name, role in USERS.items()),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
    }
    command = [str(Path(sys.executable).with_name("airflow")), "api-server", "--host=127.0.0.1", f"--port={port}"]
    log = folder / "log"
    with open(log, "wb") as stream:
        server = subprocess.Popen(
            [*command, "--workers=1"], env=env, stdout=stream, stderr=stream, start_new_session=True
        )
    try:
        deadline = time.monotonic() + 180
        while not _answers(f"{url}/api/v2/version"):
            if server.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the API server did not answer at {url}:\n{log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.2)
        yield AirflowPage(url, airflow_db)
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait(10)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, timeout=60_000)
        yield chromium
        chromium.close()


@dataclass
class Visitor:
    """A person at a browser, signed in to Airflow."""

    context: BrowserContext
    page: Page
    airflow: AirflowPage

    def open(self, path: str) -> Page:
        self.page.goto(f"{self.airflow.url}{path}")
        return self.page

    def shot(self, name: str) -> None:
        SCREENS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENS / f"{name}.png")


@pytest.fixture
def visit(browser: Browser, airflow_page: AirflowPage) -> Iterator[object]:
    """Return a function that opens a browser as one of the users; ``None`` is nobody."""
    contexts: list[BrowserContext] = []

    def open_browser(user: str | None = "admin", **options: object) -> Visitor:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})  # type: ignore[arg-type] - options of tests have any type
        contexts.append(context)
        context.set_default_timeout(60_000)
        if user is not None:
            context.add_cookies(
                [{"name": "_token", "value": airflow_page.token(user), "domain": "127.0.0.1", "path": "/airflow/"}]
            )
        return Visitor(context, context.new_page(), airflow_page)

    yield open_browser
    for context in contexts:
        context.close()
