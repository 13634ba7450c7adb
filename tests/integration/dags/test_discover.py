"""What a run of a feed finds below its prefix: every object is taken, or left out for a reason that the log says."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from jinja2 import Environment

from kaltura_provider.feeds.tasks.discover import KalturaDiscoverOperator
from kaltura_provider.hooks.xcom_parts import resolved

NOISE = ("_SUCCESS", "x_$folder$", "README", ".DS_Store", "Thumbs.db", "._a.mp4", "sub/", "flag")


class Found(SimpleNamespace):
    """What `discover` returned, pushed and logged."""

    assets: dict[str, dict[str, Any]]
    left_out: dict[str, int]
    log: str


@pytest.fixture
def discover(deployment, monkeypatch: pytest.MonkeyPatch):
    def run(*, include: tuple[str, ...] = ("*",), exclude: tuple[str, ...] = (), **fields: Any) -> Found:
        uri = f"s3://media/{deployment.folder.name}/"
        source = {"uri": uri, "include": list(include), "exclude": list(exclude)}
        made = KalturaDiscoverOperator(task_id="discover", source=source, batch_size=100, **fields)
        lines: list[str] = []
        say = SimpleNamespace(**dict.fromkeys(("info", "warning"), lambda text, *said: lines.append(text % said)))
        monkeypatch.setattr(type(made), "log", say)
        pushed: dict[str, Any] = {}
        ti = SimpleNamespace(
            task_id="discover",
            try_number=1,
            max_tries=0,
            xcom_push=lambda key, value: pushed.update({key: value}),
            xcom_pull=lambda task_ids, key: pushed.get(key),
        )
        day = datetime(2024, 3, 1, tzinfo=UTC)
        ran = SimpleNamespace(run_type="scheduled", data_interval_start=day, data_interval_end=day)
        context: Any = {"params": {}, "ti": ti, "dag_run": ran}
        batches = [resolved(context, batch) for batch in made.execute(context)]
        start = len(uri)
        assets = {asset["uri"][start:]: asset["metadata"] for batch in batches for asset in batch}
        return Found(assets=assets, left_out=pushed["plan"]["left_out"], log="\n".join(lines))

    return run


def test_what_is_no_media_is_left_out_and_named(deployment, discover, clips) -> None:
    for name in NOISE:
        deployment.put(name, b"" if name in ("sub/", "flag") else b"x")
    deployment.put("notes.xyz", b"who knows")
    for name in ("a.mp4", "sub/b.MOV", "nameless"):
        deployment.put(name, clips["clip-1.mp4"])
    found = discover()
    assert list(found.assets) == ["a.mp4", "nameless", "sub/b.MOV"]
    assert sum(found.left_out.values()) == len(NOISE) + 1
    for name in (*NOISE, "notes.xyz"):
        assert name in found.log
    assert "Taking 3 of 12 below" in found.log


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("ignore", {}), ("fail", {"notes.xyz": None}), ("data", {"notes.xyz": "data"})],
)
def test_unknown_files_follow_the_rule_of_the_feed(deployment, discover, rule: str, expected: dict[str, Any]) -> None:
    deployment.put("notes.xyz", b"who knows")
    found = discover(unknown_files=rule)
    assert {name: metadata.get("media_type") for name, metadata in found.assets.items()} == expected
    assert sum(found.left_out.values()) == (rule == "ignore")


def test_a_feed_that_says_what_its_files_are_has_no_unknown_ones(deployment, discover) -> None:
    deployment.put("notes.xyz", b"who knows")
    assert discover(metadata={"media_type": "audio"}).assets == {"notes.xyz": {"media_type": "audio"}}


def test_a_key_is_no_line_of_the_log(deployment, discover, monkeypatch: pytest.MonkeyPatch) -> None:
    from kaltura_provider.hooks import listing

    keys = [f"{deployment.folder.name}/a\n2026 ERROR \x1b[31m gone.{end}" for end in ("mp4", "tmp")]
    found = [listing.S3Object("media", key, 1) for key in keys]
    monkeypatch.setattr(listing, "list_s3", lambda *_, **__: iter(found))
    log = discover(exclude=["*.tmp"]).log
    assert "gone.mp4" in log
    assert "gone.tmp" in log
    assert "\x1b" not in log
    assert "\n2026 ERROR" not in log


def test_ten_thousand_left_out_are_few_lines(deployment, discover, monkeypatch: pytest.MonkeyPatch) -> None:
    from kaltura_provider.hooks import listing

    many = [listing.S3Object("media", f"{deployment.folder.name}/{n}.mp4", 1) for n in range(10_000)]
    monkeypatch.setattr(listing, "list_s3", lambda *_, **__: iter(many))
    compiled = 0
    compile_ = Environment.from_string

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal compiled
        compiled += 1
        return compile_(*args, **kwargs)

    monkeypatch.setattr(Environment, "from_string", counted)
    found = discover(exclude=["*7.mp4"], metadata={"name": "{{ asset.stem }}", "tags": ["news", "{{ asset.key }}"]})
    assert (len(found.assets), found.left_out) == (9000, {"match an exclude pattern": 1000})
    assert len(found.log.splitlines()) < 6
    assert found.assets["8.mp4"] == {"name": "8", "tags": ["news", f"{deployment.folder.name}/8.mp4"]}
    assert compiled == 2  # a text without a template is not compiled


def test_a_pattern_that_nothing_fits_is_said(deployment, discover, clips) -> None:
    deployment.put("a.mp4", clips["clip-1.mp4"])
    found = discover(include=["*.{mvo,mkv}"])
    assert found.assets == {}
    assert "No object matches the include patterns *.{mvo,mkv}" in found.log
    assert "found nothing" not in found.log
    assert "No object matches" not in discover(include=["*.mp4", "*.mkv"]).log


def test_a_run_without_a_logical_date_takes_the_last_interval_and_says_so(deployment, clips, capsys) -> None:
    dag = deployment.feed(
        name="manual",
        start_date="2024-03-01",
        source={"uri": f"s3://media/{deployment.folder.name}/{{{{ data_interval_start | ds }}}}/"},
        metadata={"name": "{{ asset.stem }} of {{ ds }}"},
    )
    deployment.put("2024-03-04/clip.mp4", clips["clip-1.mp4"])
    ran = deployment.run(dag)
    assert ran.state == "success", ran.states
    assert ran.summary["assets"] == []
    assert "it takes the last interval that has ended" in capsys.readouterr().out
    ran = deployment.run(dag, date="2024-03-04")
    assert ran.state == "success", ran.states
    assert list(deployment.held()) == ["clip of 2024-03-04"]


def test_a_feed_in_berlin_ingests_berlins_day(deployment, clips, tmp_path) -> None:
    dag = deployment.feed(
        name="berlin",
        start_date="2024-03-01",
        timezone="Europe/Berlin",
        source={"uri": f"s3://media/{deployment.folder.name}/{{{{ data_interval_start | ds }}}}/"},
        metadata={"name": "{{ asset.stem }} of {{ data_interval_start | ds }}"},
        receipts=str(tmp_path / "receipts"),
    )
    for day in ("2024-05-03", "2024-05-04", "2024-05-05"):
        deployment.put(f"{day}/clip.mp4", clips["clip-1.mp4"])
    # Midnight in Berlin: the day that has ended is the 4th.
    ran = deployment.run(dag, datetime(2024, 5, 4, 22, tzinfo=UTC))
    assert ran.state == "success", ran.states
    assert list(deployment.held()) == ["clip of 2024-05-04"]
    folders = [path.name for path in (tmp_path / "receipts" / "berlin").iterdir() if path.name != "runs"]
    assert folders == ["2024-05-04"]
