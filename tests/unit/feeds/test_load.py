from __future__ import annotations

import datetime as dt
import os
import tracemalloc
from pathlib import Path

import pytest
import yaml
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG
from hypothesis import given, settings
from hypothesis import strategies as st

from kaltura_provider.feeds.files import load
from kaltura_provider.feeds.files.load import FeedError, load_feed, load_feeds
from kaltura_provider.feeds.folder import build_feeds, check_feeds, feed_dags
from kaltura_provider.feeds.schema import Feed
from kaltura_provider.feeds.sources import rendered_source

GOOD = """\
name: news
start_date: 2024-03-01
source:
  type: s3_prefix
  uri: s3://media/news/{{ data_interval_start | ds }}/
"""

URLS = GOOD.partition("source:")[0] + "source:\n  type: urls\n  urls: ['https://example.com/{{ ds }}.mp4']\n"


def write(folder: Path, text: str, name: str = "news.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_short_feed_has_the_defaults(tmp_path: Path) -> None:
    feed = load_feed(write(tmp_path, GOOD))
    assert feed.dag_id == "kaltura_feed_news"
    assert feed.start_date == dt.date(2024, 3, 1)
    assert (feed.schedule, feed.if_exists, feed.batch_size) == ("@daily", "skip", 50)
    assert feed.connections.kaltura == "kaltura_default"
    assert feed.asset_uri == "kaltura://kaltura_default/news"
    assert feed.metadata.name == "{{ asset.stem }}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD + "shedule: '@daily'\n", "news.yaml:6: shedule: is not a field; did you mean 'schedule'?"),
        (GOOD + "schedule: dayly\n", "news.yaml:6: schedule: 'dayly' is not a valid cron expression"),
        (GOOD + "timezone: Mars/Olympus\n", "news.yaml:6: timezone: 'Mars/Olympus' is not a time zone"),
        (GOOD + "batch_size: 0\n", "news.yaml:6: batch_size: 0 must be at least 1"),
        (GOOD + "if_exists: overwrite\n", "news.yaml:6: if_exists: 'overwrite' must be 'skip', 'replace' or 'fail'"),
        (GOOD + "upload:\n  max_size: huge\n", "news.yaml:6: upload: max_size 'huge' has the wrong type"),
        (GOOD + "upload:\n  max_sise: 5\n", "news.yaml:6: upload: upload 'max_sise' is not a setting"),
        (GOOD + "end_date: 2023-01-01\n", "news.yaml:6: end_date: 2023-01-01 is before start_date 2024-03-01"),
        (GOOD.replace("s3://media/", "media/"), "news.yaml:5: source.uri: 'media/news/"),
        (GOOD.replace("s3_prefix", "s3prefix"), "news.yaml:4: source.type: 's3prefix' is not a type of source; write"),
        (GOOD.replace("s3_prefix", "[a]"), "news.yaml:4: source.type: is not a type of source; write"),
        (GOOD.replace("s3_prefix", "urls"), "news.yaml:3: source.urls: is missing"),
        (GOOD.replace("s3_prefix", "urls"), "news.yaml:5: source.uri: is not a field; remove it"),
        (
            GOOD.replace("s3_prefix", "s3_new") + "  overlap: -PT1H\n",
            "news.yaml:6: source.overlap: '-PT1H' must be between PT0S and P90D",
        ),
        (GOOD.replace("s3_prefix", "s3_new") + "  stable_for: PT1H\n", "news.yaml:6: source.stable_for: 'PT1H' must"),
        (
            GOOD.replace("s3_prefix", "s3_new") + "  modified_after: soon\n",
            "source.modified_after: 'soon' must be a date and time",
        ),
        (URLS.replace("https://", "ftp://"), "news.yaml:5: source.urls.0: 'ftp://example.com/{{ ds }}.mp4' is not an"),
        (URLS + "  missing: never\n", "news.yaml:6: source.missing: 'never' must be 'skip', 'fail' or 'retry'"),
        (
            URLS.replace("ds }}", "ds"),
            "news.yaml:5: source.urls.0: 'https://example.com/{{ ds.mp4' is not a valid template",
        ),
        (GOOD.replace("name: news", "name: News!"), "news.yaml:1: name: 'News!' must be 1 to 61 of"),
        (GOOD.replace("start_date: 2024-03-01\n", ""), "news.yaml:1: start_date: is missing"),
        (
            GOOD.replace("start_date: 2024-03-01", "start_date: soon"),
            "news.yaml:2: start_date: 'soon' must be a date such as",
        ),
        ("name: [news\nsource: x\n", "news.yaml:2: is not valid YAML"),
        ("- name\n", "news.yaml:1: must have fields"),
        ("", "news.yaml:1: must have fields"),
        (GOOD + "schedule: '99 99 * * *'\n", "news.yaml:6: schedule: '99 99 * * *' is not a valid cron expression"),
        (GOOD + "schedule: '0 0 30 2 *'\n", "news.yaml:6: schedule: '0 0 30 2 *' is not a valid cron expression"),
        (
            GOOD + "schedule: 0 4 * * * 0 2030\n",
            "news.yaml:6: schedule: '0 4 * * * 0 2030' is not a valid cron expression",
        ),
        (
            GOOD.replace("2024-03-01", "2024-02-30"),
            "news.yaml:2: start_date: '2024-02-30' must be a date such as",
        ),
        (GOOD.replace("2024-03-01", "0001-01-01"), "news.yaml:2: start_date: 0001-01-01 is not between 1970 and"),
        (GOOD + "end_date: 9999-12-31\n", "news.yaml:6: end_date: 9999-12-31 is not between"),
        (GOOD + "ready_timeout: -PT5H\n", "news.yaml:6: ready_timeout: '-PT5H' must be more than nothing"),
        (GOOD + "ready_timeout: PT0S\n", "news.yaml:6: ready_timeout: 'PT0S' must be more than nothing"),
        (
            GOOD + "ready_timeout: P9999D\n",
            "news.yaml:6: ready_timeout: 'P9999D' must be more than nothing and at most",
        ),
        (GOOD + "ready_timeout: P99999999999D\n", "news.yaml:6: ready_timeout: 'P99999999999D' must be"),
        (GOOD + f"tags: [a, {'x' * 101}]\n", "xxx' has 101 characters; Airflow allows 1 to 100"),
        (
            GOOD + "connections:\n  kaltura: '[::1'\n",
            "news.yaml:7: connections.kaltura: '[::1' is not a valid connection id",
        ),
        (
            GOOD + "max_active_runs: 1.0e+20\n",
            "news.yaml:6: max_active_runs: 1e+20 must be a whole number",
        ),
        (GOOD + f"max_active_runs: {'9' * 5000}\n", "news.yaml:6: max_active_runs: '9999"),
        (GOOD + "retries: .inf\n", "news.yaml:6: retries: inf must be a whole number"),
        (GOOD + "pool: ''\n", "news.yaml:6: pool: must not be empty"),
        (GOOD + "name: other\n", "news.yaml:6: name: is already set in line 1"),
        (GOOD + "metadata:\n  name: a\n  name: b\n", "news.yaml:8: name: is already set in line 7"),
        (
            GOOD + "description: 'a{% if'\nmetadata: {name: '{{ a b }}'}\n",
            "news.yaml:7: metadata.name: '{{ a b }}' is not a valid tem",
        ),
        (
            GOOD + "metadata: {tags: ['{{ x | nofilter }}']}\n",
            "metadata.tags.0: '{{ x | nofilter }}' is not a valid template",
        ),
        (
            GOOD.replace("| ds }}", "| ds"),
            "news.yaml:5: source.uri: 's3://media/news/{{ data_interval_start | ds/' is no",
        ),
        (GOOD + "receipts: '/x/{{ }}'\n", "news.yaml:6: receipts: '/x/{{ }}' is not a valid template"),
        (GOOD + "metadata: {categories: 'Arts, Crafts>Pottery'}\n", "news.yaml:6: metadata.categories: 'Arts, Crafts>"),
        (
            GOOD + "metadata: {categories: ['Arts, Crafts>Pottery']}\n",
            "metadata.categories.0: 'Arts, Crafts>Pottery' has a",
        ),
        (GOOD + f"  include: '{'{a,b}' * 30}'\n", "news.yaml:6: source.include.0: '{a,b}"),
        (GOOD + "description: " + "[" * 100, "news.yaml:6: is nested more than 20 levels deep"),
        (GOOD + "description: " + "- " * 50_000, "news.yaml:6: "),
        (GOOD + "tags: &a [*a]\n", "news.yaml:6: the alias *a does not refer to an earlier anchor"),
        (GOOD + "? [a]\n: b\n", "news.yaml:6: has a list or mapping in place of a field name"),
        (GOOD + 'description: "a\\0b"\n', "news.yaml:6: holds the character U+0000"),
        (GOOD + "description: a\x07b\n", "is not valid YAML"),
        (GOOD + "description: !!python/object/apply:os.system [ls]\n", "news.yaml:6: is not valid YAML"),
        (GOOD + "1: 2\n", "news.yaml:6: 1: "),
        (GOOD + "# " + "x" * 1_100_000, "news.yaml:1: has more than 1,048,576 bytes"),
        (GOOD + "---\nname: b\n", "news.yaml:6: is not valid YAML"),
    ],
)
def test_a_mistake_is_named_with_file_line_and_field(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(FeedError) as caught:
        load_feed(write(tmp_path, text))
    assert expected in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "news.yaml"))


def test_a_mistake_is_told_without_the_secrets_beside_it(tmp_path: Path) -> None:
    text = URLS.replace("{{ ds }}.mp4", "a.mp4?X-Amz-Signature=f00dcafe&token=f00dcafe {{ a b }}")
    with pytest.raises(FeedError) as caught:
        load_feed(write(tmp_path, text))
    assert "f00dcafe" not in str(caught.value)


def test_one_url_stands_for_a_list_of_one(tmp_path: Path) -> None:
    feed = load_feed(write(tmp_path, URLS.replace("['", "'").replace("']", "'")))
    assert feed.source.model_dump() == {
        "type": "urls",
        "urls": ["https://example.com/{{ ds }}.mp4"],
        "missing": "skip",
    }


def test_billion_laughs_end_at_the_bound(tmp_path: Path) -> None:
    laughs = "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]\n" for n in range(1, 10))
    merges = "".join(f"y{n}: &y{n} {{<<: [{', '.join([f'*y{n - 1}'] * 9)}]}}\n" for n in range(1, 10))
    for text in ("x0: &x0 lol\n" + laughs, "y0: &y0 {a: b}\n" + merges):
        with pytest.raises(FeedError, match=r"news\.yaml:\d+: has more than 20,000 values"):
            load_feed(write(tmp_path, GOOD + text))


def test_an_alias_can_be_used(tmp_path: Path) -> None:
    feed = load_feed(write(tmp_path, GOOD + "tags: &tags [news, sport]\nmetadata:\n  tags: *tags\n"))
    assert feed.tags == feed.metadata.tags == ["news", "sport"]


def test_what_cannot_be_read_is_named_and_hides_no_other(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "lost.yaml").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "latin.yml").write_bytes(GOOD.encode() + "description: caf\u00e9\n".encode("latin-1"))
    (tmp_path / "wide.yml").write_bytes(GOOD.encode("utf-16"))
    feeds = load_feeds(tmp_path)
    assert [feed.name for feed in feeds.feeds] == ["news"]
    said = "\n".join(map(str, feeds.problems))
    for text in ("folder.yaml:1: is a folder", "lost.yaml:1: is a link to a file that does not exist",
                 "pipe.yaml:1: is not a file", "latin.yml:6: is not UTF-8", "wide.yml:1: is not UTF-8"):  # fmt: skip
        assert text in said


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "news.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load_feed(path).name == "news"


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_feed_or_an_error_of_one_file(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(content)
    with pytest.raises(FeedError, match=r"any\.yaml:"):
        load_feed(path)


@settings(deadline=None, max_examples=25)
@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            Feed.model_fields,
            st.none() | st.text(max_size=20) | st.integers() | st.floats() | st.lists(st.text(max_size=9), max_size=3),
        ),
    )
)
def test_any_value_of_any_field_leaves_the_other_feeds_alone(
    tmp_path_factory: pytest.TempPathFactory, fields: dict[str, object]
) -> None:
    folder = tmp_path_factory.mktemp("feeds")
    write(folder, GOOD)
    said = {"name": "odd", "start_date": dt.date(2024, 3, 1), "source": {"uri": "s3://media/x/"}}
    write(folder, yaml.safe_dump({**said, **fields}), "odd.yaml")
    built = build_feeds(folder)
    assert "kaltura_feed_news" in [dag.dag_id for dag in built.dags]
    assert len(built.dags) == 2 or all("odd.yaml:" in str(problem) for problem in built.problems)


def test_what_airflow_alone_refuses_is_an_error_of_that_feed_and_field(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kaltura_provider.feeds import folder as module

    build = module.feed_dag

    def refusing(feed: Feed) -> DAG:
        if feed.owner == "nobody":
            raise RuntimeError("no owner of mine")
        return build(feed)

    monkeypatch.setattr(module, "feed_dag", refusing)
    write(tmp_path, GOOD)
    write(tmp_path, GOOD.replace("name: news", "name: odd") + "pool: fast\nowner: nobody\n", "odd.yaml")
    built = build_feeds(tmp_path)
    assert [dag.dag_id for dag in built.dags] == ["kaltura_feed_news"]
    assert [str(one) for one in built.problems] == [
        f"{tmp_path}/odd.yaml:7: owner: Airflow rejects the DAG: RuntimeError: no owner of mine"
    ]


def test_a_worker_builds_the_dag_of_its_task_only(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    write(tmp_path, GOOD.replace("name: news", "name: other"), "other.yaml")
    assert [dag.dag_id for dag in build_feeds(tmp_path, only="kaltura_feed_other").dags] == ["kaltura_feed_other"]


def test_a_worker_reads_no_other_feed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("news", "other", "news_2"):
        (tmp_path / f"{name}.yaml").write_text(f"name: {name}\nstart_date: 2024-01-01\nsource: {{uri: s3://b/}}\n")
    read = []
    monkeypatch.setattr(load, "load_feed", lambda path, load=load.load_feed: (read.append(path.stem), load(path))[1])
    assert [dag.dag_id for dag in build_feeds(tmp_path, only="kaltura_feed_other").dags] == ["kaltura_feed_other"]
    assert read == ["other"]
    assert [dag.dag_id for dag in build_feeds(tmp_path, only="kaltura_feed_news").dags] == ["kaltura_feed_news"]


def test_a_worker_finds_a_feed_whose_name_is_written_strangely(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text('name: "n\\x65ws"\nstart_date: 2024-01-01\nsource: {uri: s3://b/}\n')
    assert [dag.dag_id for dag in build_feeds(tmp_path, only="kaltura_feed_news").dags] == ["kaltura_feed_news"]


def test_two_lines_in_a_dag_file_define_the_good_feeds_and_two_in_another_report_the_bad_ones(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    write(tmp_path, "name: [", "broken.yaml")
    assert list(feed_dags(str(tmp_path))) == ["kaltura_feed_news"]
    with pytest.raises(FeedError, match=r"broken\.yaml:1: "):
        check_feeds(str(tmp_path))


@pytest.mark.parametrize("broken", [False, True])
def test_only_the_file_that_defines_the_dags_has_them(tmp_path: Path, broken: bool) -> None:
    """Airflow stores a new version of a DAG whenever another file defines it."""
    feeds, dags = tmp_path / "feeds", tmp_path / "dags"
    feeds.mkdir()
    dags.mkdir()
    write(feeds, GOOD)
    if broken:
        write(feeds, "name: [", "broken.yaml")
    module = "from kaltura_provider.feeds.folder import {0}  # Airflow DAG\n"
    write(dags, f"{module.format('feed_dags')}globals().update(feed_dags({str(feeds)!r}))\n", "define.py")
    write(dags, f"{module.format('check_feeds')}check_feeds({str(feeds)!r})\n", "check.py")
    bag = DagBag(dags)
    assert {dag_id: Path(dag.fileloc).name for dag_id, dag in bag.dags.items()} == {"kaltura_feed_news": "define.py"}
    assert [Path(path).name for path in bag.import_errors] == (["check.py"] if broken else [])
    assert not DagBag(dags / "check.py").dags


def test_airflow_can_show_the_problems_of_feeds_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "name: [", "broken.yaml")
    module = "from kaltura_provider.feeds.folder import check_feeds  # Airflow DAG\n"
    (tmp_path / "check.py").write_text(f"{module}check_feeds({str(tmp_path)!r})\n")
    for setting, has_traceback in (("True", True), ("False", False)):
        monkeypatch.setenv("AIRFLOW__CORE__DAGBAG_IMPORT_ERROR_TRACEBACKS", setting)
        [shown] = DagBag(tmp_path).import_errors.values()
        assert f"{tmp_path}/broken.yaml:1: " in shown
        assert ("Traceback" in shown) is has_traceback


@pytest.mark.parametrize(
    ("folder", "problem"),
    [("feeds", "feeds: is a relative path"), ("/nowhere/feeds", "/nowhere/feeds: is not a folder")],
)
def test_a_wrong_folder_is_reported_rather_than_taken_for_an_empty_one(folder: str, problem: str) -> None:
    assert feed_dags(folder) == {}
    with pytest.raises(FeedError, match=problem):
        check_feeds(folder)


def test_a_folder_that_cannot_be_listed_is_not_taken_for_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(FeedError, match=f"{tmp_path}: cannot be listed: Permission denied; give Airflow's user"):
        check_feeds(tmp_path)
    assert feed_dags(tmp_path) == {}


def test_the_ending_of_a_file_may_be_in_capitals(tmp_path: Path) -> None:
    write(tmp_path, GOOD, "NEWS.YAML")
    assert [feed.name for feed in load_feeds(tmp_path).feeds] == ["news"]


@pytest.mark.parametrize("wrong", ["raise SystemExit(1)", "raise RuntimeError('no')"])
def test_a_notifier_that_cannot_be_imported_hides_no_other_feed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    (tmp_path / "wrong_notifier.py").write_text(wrong)
    monkeypatch.syspath_prepend(tmp_path)
    write(tmp_path, GOOD)
    write(tmp_path, GOOD.replace("news", "odd", 1) + "notify: [{notifier: wrong_notifier.Shout}]\n", "odd.yaml")
    feeds = load_feeds(tmp_path)
    assert [feed.name for feed in feeds.feeds] == ["news"]
    assert "odd.yaml:6: notify.0: notifier 'wrong_notifier.Shout' cannot be imported" in str(feeds.problems[0])


def test_checking_a_template_computes_nothing(tmp_path: Path) -> None:
    write(tmp_path, GOOD.replace("media/news", "media/{{ 'x' * 10 ** 8 }}"))
    tracemalloc.start()
    try:
        assert len(load_feeds(tmp_path).feeds) == 1
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()


def test_a_bad_feed_hides_no_other(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    write(tmp_path, "name: [", "broken.yaml")
    write(tmp_path, GOOD, "twice.yml")
    feeds = load_feeds(tmp_path)
    assert [feed.name for feed in feeds.feeds] == ["news"]
    assert len(feeds.problems) == 2
    said = "\n".join(map(str, feeds.problems))
    assert "broken.yaml:1: is not valid YAML" in said
    assert "twice.yml:1: name: 'news' is the name of the feed in news.yaml too" in said


def test_one_word_stands_for_a_list_of_one(tmp_path: Path) -> None:
    feed = load_feed(write(tmp_path, GOOD + "metadata:\n  tags: news, sport\n"))
    assert feed.metadata.tags == ["news", "sport"]


def test_the_feeds_of_this_deployment_are_valid() -> None:
    feeds = load_feeds(Path(__file__).parents[3] / "include" / "feeds")
    assert feeds.problems == []
    assert "demo" in [feed.name for feed in feeds.feeds]


def test_a_document_that_is_nested_without_end_is_refused(tmp_path: Path) -> None:
    """Newer versions of PyYAML refuse it themselves, before it is parsed."""
    deep = r"news\.yaml:6: (is nested more than 20 levels deep|is not valid YAML: .*nesting depth)"
    with pytest.raises(FeedError, match=deep):
        load_feed(write(tmp_path, GOOD + "description: " + "[" * 300_000))


@pytest.mark.parametrize(
    ("environment", "line", "queue"),
    [
        ("", "", "default"),
        ("", "queue: big\n", "big"),
        ("kaltura_transfer", "", "kaltura_transfer"),
        ("kaltura_transfer", "queue: big\n", "big"),
    ],
)
def test_only_the_tasks_that_send_bytes_are_on_the_queue_of_transfers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: str, line: str, queue: str
) -> None:
    monkeypatch.setenv("KALTURA_QUEUE", environment)
    write(tmp_path, GOOD + line)
    [dag] = build_feeds(tmp_path).dags
    queues = {task.task_id: task.queue for task in dag.tasks}
    assert queues.pop("batch.ingest") == queue
    assert set(queues.values()) == {"default"}


def test_what_a_template_has_become_is_named_with_its_field() -> None:
    with pytest.raises(ValueError, match=r"^source\.urls\.0 'javascript:x' is not an address; write https"):
        rendered_source({"type": "urls", "urls": ["javascript:x"]})
