"""Feeds of every type of source, run twice: byte for byte what the source holds, and each item once."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kaltura_provider.hooks.sources import s3_client
from tests.integration.dags.file_server import digest

# Runs by hand take the last interval that has ended: the 1st of March.
AFTER = datetime(2024, 3, 2, tzinfo=UTC)
DAY = "{{ data_interval_start | ds }}"


FEEDS = Path(__file__).parents[3] / "dags" / "kaltura_feeds.py"
DYING = """
import os, runpy, signal, sys
file, dag_id = sys.argv[1:]
from kaltura_provider.feeds.tasks.summary import KalturaSummaryOperator
KalturaSummaryOperator.run_in_kaltura = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
runpy.run_path(file)[dag_id].test()
"""


class TestUrls:
    def feed(self, deployment, *urls: str, **fields: object):
        source = {"type": "urls", "urls": list(urls)} | dict(fields.pop("source", {}))
        return deployment.feed(name="bulletin", start_date="2024-03-01", source=source, retries=1, **fields)

    def test_the_day_is_brought_in_once(self, deployment, site, clips, monkeypatch) -> None:
        site.files = {"/news/2024-03-01.mp4": clips["clip-1.mp4"], "/news/extra.mp4": clips["clip-3.mp4"]}
        site.locked = {"/news/2024-03-01.mp4"}
        host = {"conn_type": "http", "host": site.url, "login": "reader", "password": "open-sesame"}
        monkeypatch.setenv("AIRFLOW_CONN_NEWS_SITE", json.dumps(host | {"extra": {"X-Site": "news"}}))
        in_s3 = deployment.put("2024-03-01/studio.mp4", clips["clip-2.mp4"])
        dag = self.feed(
            deployment,
            f"{site.url}/news/{DAY}.mp4",
            f"{site.url}/news/{DAY}-late.mp4",
            "{% if data_interval_start.day == 1 %}" + f"{site.url}/news/extra.mp4" + "{% endif %}",
            "{% if data_interval_start.day == 2 %}" + f"{site.url}/news/other.mp4" + "{% endif %}",
            in_s3.replace("2024-03-01", DAY),
            in_s3.replace("2024-03-01", DAY),
            connections={"http": "news_site"},
        )
        first = deployment.run(dag, AFTER)
        assert first.state == "success", first.states
        expected = {
            "2024-03-01": digest(clips["clip-1.mp4"]),
            "extra": digest(clips["clip-3.mp4"]),
            "studio": digest(clips["clip-2.mp4"]),
        }
        assert deployment.held() == expected
        assert first.summary["left_out"] == {"not found, missing: skip": 1}
        again = deployment.run(dag, AFTER)
        assert again.state == "success", again.states
        assert (again.summary["new"], again.summary["found"]) == (0, 3)
        assert deployment.held() == expected

    def test_a_url_that_is_missing_is_named(self, deployment, site, clips, capsys) -> None:
        site.files = {"/a.mp4": clips["clip-1.mp4"]}
        urls = [f"{site.url}/a.mp4", f"{site.url}/gone.mp4", "s3://media/nothing/gone-too.mp4"]
        ran = deployment.run(self.feed(deployment, *urls), AFTER)
        assert ran.state == "success", ran.states
        said = capsys.readouterr().out
        assert "Left out 2 (not found, missing: skip)" in said
        assert "/gone.mp4: it does not exist on its server (HTTP 404)" in said
        assert "gone-too.mp4: the object does not exist" in said

    def test_missing_can_fail_after_the_others_are_in(self, deployment, site, clips) -> None:
        site.files = {"/a.mp4": clips["clip-1.mp4"]}
        urls = [f"{site.url}/a.mp4", f"{site.url}/gone.mp4"]
        ran = deployment.run(self.feed(deployment, *urls, source={"missing": "fail"}), AFTER)
        assert ran.state == "failed"
        assert "it does not exist on its server (HTTP 404)" in ran.reason
        assert ran.tries["discover[-1]"] == 1
        assert deployment.held() == {"a": digest(clips["clip-1.mp4"])}

    @pytest.mark.parametrize("comes", [True, False])
    def test_missing_can_be_looked_for_again(self, deployment, site, clips, comes: bool) -> None:
        site.files = {"/a.mp4": clips["clip-1.mp4"]}
        urls = [f"{site.url}/a.mp4", f"{site.url}/late.mp4"]
        dag = self.feed(deployment, *urls, source={"missing": "retry"})
        if comes:
            late = {"/late.mp4": clips["clip-2.mp4"]}
            dag.get_task("discover").on_retry_callback = [lambda _: site.files.update(late)]
        ran = deployment.run(dag, AFTER)
        assert ran.tries["discover[-1]"] == 2
        assert ran.state == ("success" if comes else "failed")
        assert set(deployment.held()) == ({"a", "late"} if comes else {"a"})


class TestManifest:
    def feed(self, deployment, uri: str, **source: object):
        said = {"type": "manifest", "uri": uri, **source}
        return deployment.feed(
            name="catalogue",
            start_date="2024-03-01",
            source=said,
            metadata={"name": "{{ asset.stem }}", "description": "Of the feed"},
            retries=1,
        )

    def test_rows_go_in_once_and_bad_ones_are_named(self, deployment, site, clips, capsys) -> None:
        site.files = {"/2.mp4": clips["clip-2.mp4"]}
        first = deployment.put("1.mp4", clips["clip-1.mp4"])
        third = deployment.folder / "3.mp4"
        third.write_bytes(clips["clip-3.mp4"])
        table = (
            "*action,title,description,tags,url,mediaType,rating\n"
            f'1,One of {{{{ ds }}}},From S3,"news,sport",{first},1,5\n'
            f"1,Two,,,{site.url}/2.mp4,1,4\n"
            f"1,,,,{third.as_uri()},,\n"
            "1,Bad,,,not an address,,\n"
        )
        deployment.put("lists/2024-03-01.csv.gz", gzip.compress(table.encode()))
        dag = self.feed(deployment, f"s3://media/{deployment.folder.name}/lists/{DAY}.csv.gz")
        expected = {
            "One of 2024-03-01": digest(clips["clip-1.mp4"]),
            "Two": digest(clips["clip-2.mp4"]),
            "3": digest(clips["clip-3.mp4"]),
        }
        for new in (3, 0):
            ran = deployment.run(dag, AFTER)
            assert ran.state == "success", ran.states
            assert deployment.held() == expected
            assert ran.summary["new"] == new
            assert ran.summary["left_out"] == {"rows that cannot be used": 1}
        said = capsys.readouterr().out
        assert "line 5: url: 'not an address' is not an address" in said
        assert "Column 'rating' (line 2) is unknown and ignored." in said
        entries = {entry["name"]: entry for entry in deployment.sandbox.control.entries()}
        assert entries["One of 2024-03-01"]["description"] == "From S3"
        assert entries["One of 2024-03-01"]["tags"] == "news, sport"
        assert entries["Two"]["description"] == "Of the feed"

    def test_a_list_on_the_web_that_does_not_say_its_size(self, deployment, site, clips) -> None:
        site.files = {
            "/2024-03-01?page=1": json.dumps([{"url": f"{site.url}/a.mp4", "title": "A"}]).encode(),
            "/a.mp4": clips["clip-1.mp4"],
        }
        site.unsized = {"/2024-03-01?page=1"}
        ran = deployment.run(self.feed(deployment, f"{site.url}/{DAY}?page=1", format="json"), AFTER)
        assert ran.state == "success", ran.states
        assert deployment.held() == {"A": digest(clips["clip-1.mp4"])}

    @pytest.mark.parametrize(
        ("missing", "state", "tries"), [("skip", "success", 1), ("fail", "failed", 1), ("retry", "failed", 2)]
    )
    def test_a_manifest_that_is_missing(self, deployment, site, missing: str, state: str, tries: int) -> None:
        ran = deployment.run(self.feed(deployment, f"{site.url}/{DAY}.csv", missing=missing), AFTER)
        assert (ran.state, ran.tries["discover[-1]"]) == (state, tries)
        assert deployment.held() == {}

    def test_rows_change_and_delete_entries(self, deployment, clips, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("kaltura_provider.hooks.xcom_parts.LARGEST", 100)  # they travel in parts
        one, two = (deployment.put(f"{n}.mp4", clips[f"clip-{n}.mp4"]) for n in (1, 2))
        listed = f"url,title,referenceId\n{one},One,\n{two},Two,ref-two\n"
        uri = deployment.put("list.csv", listed.encode())
        dag = self.feed(deployment, uri, allow=["update", "delete"])
        ran = deployment.run(dag, AFTER)
        assert (ran.state, set(deployment.held())) == ("success", {"One", "Two"})
        assert not any(map(len, (ran.xcom("changes")[name] for name in ("updated", "deleted", "missing"))))
        listed = f"action,url,title,referenceId\n2,{one},First,\n3,,,ref-two\n3,,,ref-three\n"
        deployment.put("list.csv", listed.encode())
        for deleted in (1, 0):
            ran = deployment.run(dag, AFTER)
            assert ran.state == "success", ran.states
            assert deployment.held() == {"First": digest(clips["clip-1.mp4"])}
            assert ran.xcom("discover", "changes") == {"xcom": "changes", "task_id": "discover", "map_index": -1}
            done = ran.xcom("changes")
            assert (len(done["updated"]), len(done["deleted"])) == (1, deleted)
            assert "line 4, ref-three" in done["missing"]
        listed = f"action,url,title,referenceId\n2,,Third,ref-three\n2,{one},Again,\n"
        deployment.put("list.csv", listed.encode())
        ran = deployment.run(dag, AFTER)
        assert ran.state == "failed"
        assert ran.states["changes[-1]"] == "failed"
        assert ran.xcom("changes", "kaltura_failure")["reason"].endswith(
            "line 2, ref-three: update failed: the entry does not exist"
        )
        assert set(deployment.held()) == {"Again"}


class TestS3New:
    def feed(self, deployment, **fields: object):
        source = {"type": "s3_new", "uri": f"s3://media/{deployment.folder.name}/in/", "stable_for": "PT0.1S"}
        return deployment.feed(
            name="inbox",
            start_date="2024-03-01",
            schedule="@hourly",
            source=source | dict(fields.pop("source", {})),
            retries=0,
            **fields,
        )

    def test_what_is_new_comes_once_and_a_slow_upload_is_not_missed(self, deployment, clips) -> None:
        dag = self.feed(deployment)
        s3 = s3_client("aws_default")
        where = {"Bucket": "media", "Key": f"{deployment.folder.name}/in/slow.mp4"}
        upload = s3.create_multipart_upload(**where)["UploadId"]
        part = s3.upload_part(**where, UploadId=upload, PartNumber=1, Body=clips["clip-3.mp4"])
        deployment.put("in/a.mp4", clips["clip-1.mp4"])
        expected = {"a": digest(clips["clip-1.mp4"])}
        for new in (1, 0):
            ran = deployment.run(dag)
            assert ran.state == "success", ran.states
            assert ran.summary["new"] == new
            assert deployment.held() == expected
        assert ran.summary["left_out"] == {"ingested by an earlier run": 1}

        deployment.put("in/b.mp4", clips["clip-2.mp4"])
        parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload=parts)
        expected |= {"b": digest(clips["clip-2.mp4"]), "slow": digest(clips["clip-3.mp4"])}
        for new in (2, 0):
            ran = deployment.run(dag)
            assert ran.summary["new"] == new
            assert deployment.held() == expected

    def test_what_failed_is_tried_again_by_each_run_until_it_is_mended(self, deployment, clips) -> None:
        dag = self.feed(deployment)
        deployment.put("in/a.mp4", clips["clip-1.mp4"])
        deployment.put("in/b.mp4", b"")
        for found in (1, 0):
            ran = deployment.run(dag)
            assert ran.state == "failed"
            assert "it is empty" in ran.reason
            assert len(ran.summary["assets"]) == found
        deployment.put("in/b.mp4", clips["clip-2.mp4"])
        ran = deployment.run(dag)
        assert ran.state == "success", ran.states
        assert deployment.held() == {"a": digest(clips["clip-1.mp4"]), "b": digest(clips["clip-2.mp4"])}

    def test_a_run_for_a_date_takes_that_interval_and_moves_nothing(self, deployment, clips) -> None:
        deployment.put("in/a.mp4", clips["clip-1.mp4"])
        ran = deployment.run(self.feed(deployment), date="2024-03-01T05:00:00Z")
        assert ran.summary["left_out"] == {"modified outside the interval": 1}
        ran = deployment.run(self.feed(deployment))
        assert (ran.summary["new"], ran.summary["left_out"]) == (1, {})


@pytest.mark.parametrize("kind", ["manifest", "s3_new"])
def test_a_run_that_is_killed_before_its_summary_loses_and_doubles_nothing(deployment, clips, kind: str) -> None:
    uris = [deployment.put(f"in/{n}.mp4", clips[f"clip-{n}.mp4"]) for n in (1, 2)]
    lines = "".join(f"{uri}\n" for uri in uris)
    listed = deployment.put("list.csv", f"url\n{lines}".encode())
    uri = f"s3://media/{deployment.folder.name}/in/" if kind == "s3_new" else listed
    source = {"type": kind, "uri": uri} | ({"stable_for": "PT0S"} if kind == "s3_new" else {})
    dag = deployment.feed(name=f"dying_{kind}", start_date="2024-03-01", source=source, retries=0)
    ended = subprocess.run([sys.executable, "-c", DYING, str(FEEDS), dag.dag_id], timeout=100, check=False)
    assert ended.returncode == -signal.SIGKILL
    ran = deployment.run(dag)
    assert ran.state == "success", ran.states
    assert ran.summary["new"] + ran.summary["found"] == 2
    assert deployment.held() == {n: digest(clips[f"clip-{n}.mp4"]) for n in ("1", "2")}
    if kind == "s3_new":
        assert deployment.run(dag).summary["found"] == 0
