"""Housekeeping says once that a feed is no longer in its folder."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseNotifier

if TYPE_CHECKING:
    from tests.integration.dags.conftest import Ran

DAGS = Path(__file__).parents[3] / "dags"
FEED = "name: {}\nstart_date: 2024-03-01\nsource: {{uri: 's3://media/x/'}}\n"
NOTIFY = f"notify: [{{notifier: {__name__}.Heard, arguments: {{text: '{{{{ run_message }}}}'}}}}]\n"


class Heard(BaseNotifier):
    template_fields = ("text",)
    said: ClassVar[list[str]] = []

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self.text = text

    def notify(self, context: Any) -> None:
        self.said.append(self.text)


def test_a_feed_that_has_vanished_is_said_once(deployment, monkeypatch, tmp_path: Path) -> None:
    folder = tmp_path / "feeds"
    folder.mkdir()
    monkeypatch.setenv("KALTURA_FEEDS_FOLDER", str(folder))
    for name, notify in (("news", NOTIFY), ("sport", NOTIFY), ("quiet", ""), ("broken", NOTIFY), ("kept", NOTIFY)):
        (folder / f"{name}.yaml").write_text(FEED.format(name) + notify)
    Heard.said.clear()

    def run() -> Ran:
        return deployment.run(runpy.run_path(str(DAGS / "kaltura_housekeeping.py"))["dag"])

    run()  # it may know other feeds from before
    assert run().xcom("feeds") == []
    for name in ("news", "quiet"):
        (folder / f"{name}.yaml").unlink()
    (folder / "broken.yaml").write_text("name: broken\n")
    (folder / "sport.yaml").write_text(FEED.format("sports"))
    gone = run()
    assert gone.xcom("feeds") == ["news", "quiet", "sport"]
    assert gone.xcom("feeds", "kaltura_note") == "no longer there: news, quiet, sport"
    assert Heard.said == [
        f"These feeds are no longer in {folder}, so Airflow starts no more runs of them:\n"
        "  feed news (news.yaml)\n  feed sport (sport.yaml)"
    ]
    assert run().xcom("feeds") == []

    # A folder that is not mounted says nothing about its feeds, and forgets none.
    shutil.move(folder, tmp_path / "away")
    assert run().state == "failed"
    shutil.move(tmp_path / "away", folder)
    (folder / "broken.yaml").unlink()
    assert run().xcom("feeds") == ["broken"]
    assert len(Heard.said) == 2
