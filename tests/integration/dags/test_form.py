"""What somebody types into the trigger form is data, from the form to Kaltura."""

from __future__ import annotations

import hashlib
import json

import pytest

READ_A_FILE = (
    "{% set e = self._TemplateReference__context.environment %}"
    "{{ e.loader.searchpath.append('/') or '' }}{% include 'etc/hostname' %}"
)
RUN_A_COMMAND = (
    "{{ self._TemplateReference__context.environment.template_class("
    "\"{{ cycler.__init__.__globals__.os.popen('touch MARK').read() }}\").render() }}"
)


def test_code_typed_into_the_form_arrives_as_text(deployment, clips, tmp_path) -> None:
    mark = tmp_path / "ran"
    command = RUN_A_COMMAND.replace("MARK", str(mark))
    uri = deployment.put("{{ 7 * 7 }}/{{ cycler }} {% raise %}.mp4", clips["clip-1.mp4"])
    ran = deployment.run(
        deployment.form(),
        sources=[uri],
        name=READ_A_FILE,
        description=f"a {command} b",
        tags=["{{ 7 * 7 }}", "{{ asset.stem }}"],
    )
    assert ran.state == "success", ran.states
    assert not mark.exists()
    (entry,) = deployment.sandbox.control.entries()
    assert entry["name"] == READ_A_FILE
    assert entry["description"] == f"a {command} b"
    assert entry["tags"] == "{{ 7 * 7 }}, {{ cycler }} {% raise %}"
    assert ran.summary["assets"][0]["uri"] == uri
    assert list(deployment.held().values()) == [hashlib.sha256(clips["clip-1.mp4"]).hexdigest()]


@pytest.mark.parametrize("text", ["{{ conn.aws_default.password }}", "{{ var.value.x }}", "{{ params.sources }}"])
def test_a_form_field_sees_nothing_of_airflow(deployment, clips, text: str) -> None:
    ran = deployment.run(deployment.form(), sources=[deployment.put("clip-1.mp4", clips["clip-1.mp4"])], name=text)
    assert ran.states["discover[-1]"] == "failed"
    assert ran.tries["discover[-1]"] == 1
    assert deployment.s3.secret_key not in json.dumps([ran.states, deployment.sandbox.control.entries()])
    assert deployment.held() == {}


def test_blank_lines_repeated_sources_and_folders(deployment, clips) -> None:
    uris = [deployment.put(f"day/{name}", content) for name, content in sorted(clips.items())]
    lines = ["", uris[0], "  ", f" {uris[0]} ", uris[0].rpartition("/")[0] + "/"]
    refused = deployment.run(deployment.form(), sources=lines)
    assert refused.states["discover[-1]"] == "failed"
    assert refused.tries["discover[-1]"] == 1
    assert deployment.held() == {}
    ran = deployment.run(deployment.form(), sources=lines, recursive=True)
    assert ran.state == "success", ran.states
    assert [item["uri"] for batch in ran.xcom("discover") for item in batch] == uris
    assert sorted(deployment.held().values()) == sorted(hashlib.sha256(clip).hexdigest() for clip in clips.values())


@pytest.mark.parametrize(
    "typed",
    [
        {"kaltura_conn_id": "aws_default"},
        {"aws_conn_id": "kaltura_default"},
        {"aws_conn_id": "not_there"},
        {"http_conn_id": "aws_default"},
        {"aws_conn_id": "{{ conn.kaltura_default.password }}"},
    ],
)
def test_a_connection_that_may_not_be_named_ends_the_run_at_once(deployment, clips, typed: dict[str, str]) -> None:
    ran = deployment.run(deployment.form(), sources=[deployment.put("clip-1.mp4", clips["clip-1.mp4"])], **typed)
    assert ran.states["discover[-1]"] == "failed"
    assert ran.tries["discover[-1]"] == 1
    assert deployment.held() == {}
    assert deployment.sandbox.control.tokens() == []


def test_a_dry_run_says_what_would_happen_and_moves_nothing(deployment, clips) -> None:
    there = deployment.put("day/clip-1.mp4", clips["clip-1.mp4"])
    absent = there.replace("clip-1", "absent")
    dry = deployment.run(deployment.form(), sources=[there, "", absent], dry_run=True)
    assert dry.state == "success", dry.states
    assert dry.summary["plan"] == {"new": 1, "ignored": 1}
    new, left_out = dry.summary["rows"]
    assert (new["uri"], new["bytes"], new["name"]) == (there, len(clips["clip-1.mp4"]), "clip-1")
    assert left_out["uri"] == absent
    assert "does not exist" in left_out["reason"]
    assert deployment.sandbox.control.entries() == []
    done = deployment.run(deployment.form(), sources=[there], wait_for="sent")
    assert done.state == "success", done.states
    again = deployment.run(deployment.form(), sources=[there], dry_run=True)
    (row,) = again.summary["rows"]
    assert row["entry_id"] == deployment.sandbox.control.entries()[0]["id"]
    assert len(deployment.sandbox.control.tokens()) == 1


def test_a_flavor_that_is_required_and_not_made_fails_its_item(deployment, clips) -> None:
    uri = deployment.put("clip-1.mp4", clips["clip-1.mp4"])
    good = deployment.run(deployment.form(), sources=[uri], flavor_params_ids=["0", " "])
    assert good.state == "success", good.states
    broken = deployment.put("broken.mp4", b"not a video")
    bad = deployment.run(deployment.form(), sources=[uri, broken], flavor_params_ids=["987654"])
    assert bad.state == "failed"
    reasons = {item["uri"]: item["reason"] for item in bad.summary["failed"]}
    assert "no flavor has flavor params 987654" in reasons[uri]
    assert "could not convert" in reasons[broken]
    assert bad.summary["assets"] == []


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"flavor_params_ids": ["hd"]}, "flavor_params_ids 'hd'"),
        ({"reference_id": "x"}, "reference_id 'x' is too short"),
        ({"start_date": "2026-02-01T00:00:00Z", "end_date": "2026-01-01T00:00:00Z"}, "must be before end_date"),
        ({"sources": ["", "  "]}, "sources are missing"),
    ],
)
def test_a_wrong_field_is_named_before_anything_is_sent(deployment, clips, typed, words) -> None:
    uri = deployment.put("clip-1.mp4", clips["clip-1.mp4"])
    ran = deployment.run(deployment.form(), **{"sources": [uri], **typed})
    assert ran.states["discover[-1]"] == "failed"
    assert ran.tries["discover[-1]"] == 1
    assert words in ran.xcom("discover", "kaltura_failure")["reason"]
    assert deployment.sandbox.control.tokens() == []
