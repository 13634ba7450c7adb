"""Airflow's API server in this process, with users of several roles."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from history import History


@dataclass
class Api:
    """The API server, and requests of its users."""

    client: Any
    manager: Any

    def headers(self, user: str | None) -> dict[str, str]:
        if user is None:
            return {}
        from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

        token = self.manager.generate_jwt(SimpleAuthManagerUser(username=user, role=user.upper()))
        return {"Authorization": f"Bearer {token}"}

    def get(self, path: str, user: str | None = "viewer", **params: Any) -> Any:
        return self.client.get(f"/kaltura/{path}", params=params, headers=self.headers(user))

    def post(self, path: str, user: str | None = "user", headers: dict[str, str] | None = None, **form: Any) -> Any:
        sent = {"X-Kaltura-Board": "1"} if headers is None else headers
        return self.client.post(f"/kaltura/{path}", data=form, headers={**self.headers(user), **sent})


@pytest.fixture(scope="session")
def api_server(airflow_db: Path) -> Iterator[Api]:
    from airflow.api_fastapi.app import create_app, get_auth_manager, purge_cached_app
    from starlette.testclient import TestClient

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS", "viewer:VIEWER,user:USER,admin:ADMIN")
        patch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS", "False")
        patch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", "a secret of this test run " * 4)
        purge_cached_app()
        app = create_app("core")
        yield Api(TestClient(app), get_auth_manager())
        purge_cached_app()


@pytest.fixture(scope="session")
def stored_feeds(airflow_db: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    """Two feeds, ``news`` and ``archive``."""
    history = History(tmp_path_factory.mktemp("feeds") / "feeds")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KALTURA_FEEDS_FOLDER", "")
        # A test of another file may have stored a DAG with this id a moment ago.
        patch.setenv("AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL", "0")
        history.feeds("news", "archive")
        yield history


@pytest.fixture
def history(stored_feeds: History) -> Iterator[History]:
    """The two feeds without runs."""
    from kaltura_provider.board.activity import ACTIVITY
    from kaltura_provider.board.records import RECORDS

    stored_feeds.clear()
    RECORDS.interval = ACTIVITY.interval = 0.0
    RECORDS.forget()
    ACTIVITY.forget()
    yield stored_feeds
    stored_feeds.clear()


@pytest.fixture
def api(api_server: Api, history: History) -> Api:
    return api_server
