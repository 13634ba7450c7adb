"""Whatever is typed into the trigger form, nothing but text comes out of it."""

from __future__ import annotations

import datetime as dt
import json
from types import SimpleNamespace
from typing import Any

import jinja2
import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException, ParamValidationError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kaltura_provider.feeds.form.params import form_params
from kaltura_provider.feeds.tasks.discover import KalturaDiscoverOperator
from kaltura_provider.feeds.tasks.form import KalturaFormOperator
from kaltura_provider.feeds.tasks.pipeline import ingest
from kaltura_provider.hooks.xcom_parts import resolved

MOMENT = dt.datetime(2026, 5, 1, 23, 30, tzinfo=dt.UTC)

# Text as it comes, text with pieces of templates, shells, paths and markup in it, and placeholders that are known.
PIECES = st.sampled_from(
    [
        "{{ asset.stem }}", "{{asset.key}}", "{{ ds }}", "{{ 7 * 7 }}", "{% raise %}", "{# #}", "{{", "}}", "{", "}",
        "{{ self.__class__ }}", "{{ conn.kaltura_default.password }}", "{% include 'etc/hostname' %}", "{{ params }}",
        "../", "/", "\x00", "\x1b[31m", "\r\n", "`id`", "$(id)", "%s", "{0}", "<script>", "=1+1", "😀", "\u202e",
    ]
)  # fmt: skip
TEXT = st.one_of(st.text(max_size=40), st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=6).map("".join))
KEYS = st.lists(st.one_of(PIECES, st.text(min_size=1, max_size=8)), min_size=1, max_size=5).map("".join)


@pytest.fixture(autouse=True)
def connections(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, kind in (("kaltura_default", "kaltura"), ("aws_default", "aws")):
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps({"conn_type": kind, "password": "geheim"}))


def entered(**typed: Any) -> list[dict[str, Any]]:
    """Return the assets that the form's operator makes of what is typed."""
    params = {name: param.value for name, param in form_params().items()} | typed
    run = SimpleNamespace(logical_date=None, run_after=MOMENT)
    ti = SimpleNamespace(task_id="discover", dag_id="d", try_number=1, xcom_push=lambda **_: None)
    context: Any = {"params": params, "dag_run": run, "ti": ti}
    batches = KalturaFormOperator(task_id="discover").execute(context)
    return [asset for batch in batches for asset in batch]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(
    st.fixed_dictionaries(
        {
            "name": TEXT,
            "description": TEXT,
            "tags": st.lists(TEXT, max_size=2),
            "categories": st.lists(TEXT, max_size=2),
        }
    ),
    KEYS,
)
def test_any_text_comes_out_as_text(typed: dict[str, Any], key: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jinja2.Environment, "from_string", _never)
        patch.setattr(jinja2.Environment, "compile", _never)
        try:
            (asset,) = entered(sources=[f"s3://media/{key}"], **typed)
        except AirflowFailException:
            return
    assert asset["uri"] == f"s3://media/{key}".strip()
    came = asset["metadata"]
    assert all(isinstance(value, str | list) for value in came.values())
    for field in ("name", "description"):
        if "{{" not in typed[field]:
            assert came.get(field, "") == typed[field].strip()
    for field in ("tags", "categories"):
        if not any("{{" in text for text in typed[field]):
            assert came.get(field, []) == [text.strip() for text in typed[field] if text.strip()]


def _never(*_: Any, **__: Any) -> None:
    raise AssertionError("a template was compiled")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(
    st.fixed_dictionaries(
        {
            "sources": st.lists(TEXT, max_size=3),
            "kaltura_conn_id": TEXT,
            "aws_conn_id": TEXT,
            "http_conn_id": st.one_of(st.none(), TEXT),
        }
    )
)
def test_any_sources_and_connections_are_taken_or_refused_in_one_line(typed: dict[str, Any]) -> None:
    for taken in (typed, {**typed, "kaltura_conn_id": "kaltura_default", "aws_conn_id": "aws_default"}):
        try:
            assets = entered(**taken, name="x")
        except AirflowFailException as error:
            message = str(error)
            assert message.split(" ", 1)[0] in ("sources", "kaltura_conn_id", "aws_conn_id", "http_conn_id")
            assert "geheim" not in message
            continue
        assert {asset["uri"] for asset in assets} <= {line.strip() for line in taken["sources"]}


def test_placeholders_are_filled_in_for_each_source() -> None:
    assets = entered(sources=["s3://media/a/b.x.mp4"], name="{{ asset.stem }} {{ ds }}", tags=["", "{{ asset.key }}"])
    assert assets == [{"uri": "s3://media/a/b.x.mp4", "metadata": {"name": "b.x 2026-05-01", "tags": ["a/b.x.mp4"]}}]


def test_many_sources_fit_into_one_run() -> None:
    context_sources = [f"s3://media/{number}.mp4" for number in range(2500)]
    params = {name: param.value for name, param in form_params().items()} | {"sources": context_sources}
    run = SimpleNamespace(logical_date=MOMENT, run_after=MOMENT)
    pushed: dict[str, Any] = {}
    ti = SimpleNamespace(
        task_id="discover",
        xcom_push=lambda key, value: pushed.update({key: value}),
        xcom_pull=lambda task_ids, key: pushed.get(key),
    )
    context: Any = {"params": params, "dag_run": run, "ti": ti}
    references = KalturaFormOperator(task_id="discover").execute(context)
    assert len(references) <= 1000
    assert len(json.dumps(references)) < 48 * 1024
    batches = [resolved(context, reference) for reference in references]
    assert [asset["uri"] for batch in batches for asset in batch] == context_sources


with DAG("named", schedule=None) as PIPELINE:
    ingest(KalturaDiscoverOperator(task_id="discover", source={"uri": "s3://media/x/"}))


@settings(deadline=None)
@given(KEYS)
def test_any_file_name_names_a_mapped_task_as_it_is(key: str) -> None:
    prepare: Any = PIPELINE.get_task("batch.ingest")
    template = prepare.get_template_env().from_string(prepare.map_index_template)
    uri = f"s3://media/{key}"
    named = template.render(task=SimpleNamespace(source=[{"uri": uri}]))
    assert named == uri.split("?")[0].rstrip("/").split("/")[-1]


def test_the_name_of_a_mapped_task_fits_into_airflows_database() -> None:
    sent: Any = PIPELINE.get_task("batch.ingest")
    template = sent.get_template_env().from_string(sent.map_index_template)
    named = template.render(task=SimpleNamespace(source=[{"uri": f"s3://media/{'x' * 900}.mp4"}] * 100_000))
    assert named == "x" * 200 + " and 99999 more"


def test_forms_offer_the_connections_that_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KALTURA_ALLOWED_CONNECTIONS", "news, aws_default,site")
    params = form_params()
    assert params["aws_conn_id"].value == "aws_default"
    assert params["kaltura_conn_id"].value == "aws_default"  # the first one; the worker says that it is of another type
    assert params["http_conn_id"].resolve() is None
    for name in ("kaltura_conn_id", "aws_conn_id", "http_conn_id"):
        assert params[name].resolve("site") == "site"
        with pytest.raises(ParamValidationError):
            params[name].resolve("db")
