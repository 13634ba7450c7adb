"""What other tasks return is data: no operator compiles it, in whichever way it reaches a template field."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG, BaseOperator, task_group
from airflow.sdk.definitions.xcom_arg import PlainXComArg

import kaltura_provider.feeds
import kaltura_provider.operators
import kaltura_provider.sensors

TEXT = "{{ 7 * 7 }} {% raise %}"
VALUES = (TEXT, {"uri": TEXT, "metadata": {TEXT: TEXT, "tags": [TEXT]}}, [{"uri": TEXT}, TEXT, (TEXT,)])


def operators() -> Iterator[type[BaseOperator]]:
    """Yield every operator and sensor of the package that has template fields."""
    seen = set()
    for package in (kaltura_provider.operators, kaltura_provider.sensors, kaltura_provider.feeds):
        for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            for name, kind in inspect.getmembers(importlib.import_module(found.name), inspect.isclass):
                ours = kind.__module__ == found.name and issubclass(kind, BaseOperator) and not name.startswith("_")
                if ours and kind.template_fields and kind not in seen:
                    seen.add(kind)
                    yield kind


def arguments(kind: type[BaseOperator]) -> dict[str, inspect.Parameter]:
    """Return the arguments of an operator that this package adds to Airflow's."""
    return {
        name: parameter
        for parent in reversed(kind.__mro__)
        if parent.__module__.startswith("kaltura_provider") and "__init__" in vars(parent)
        for name, parameter in inspect.signature(parent.__init__).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }


def required(kind: type[BaseOperator]) -> dict[str, Any]:
    """Return a value for each argument that an operator must have."""
    return {name: "1" for name, parameter in arguments(kind).items() if parameter.default is parameter.empty}


OPERATORS = [kind for kind in operators() if kind.__name__ not in ("KalturaOperator", "KalturaSensor")]


def rendered(task: Any, dag: DAG) -> Any:
    """Render a task's fields as a worker does; return the task that would be executed."""
    instance = SimpleNamespace(map_index=0, task=task, task_id=task.task_id, _upstream_map_indexes={}, run_id="r")
    context: Any = {
        "ti": instance, "task": task, "dag": dag, "dag_run": SimpleNamespace(conf={}), "params": {}, "run_id": "r",
    }  # fmt: skip
    task.render_template_fields(context)
    return context["task"]


@pytest.fixture
def returns(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Say what the task before returns."""

    def say(value: Any) -> None:
        monkeypatch.setattr(PlainXComArg, "resolve", lambda *_: value)
        monkeypatch.setattr("airflow.sdk.definitions.xcom_arg.get_task_map_length", lambda *_: 1)

    return say


def test_all_operators_are_found() -> None:
    assert len(OPERATORS) > 40


@pytest.mark.parametrize("kind", OPERATORS)
def test_results_of_other_tasks_are_not_compiled(kind: type[BaseOperator], returns: Any) -> None:
    with DAG("d", schedule=None) as dag:
        before = BaseOperator(task_id="before")
        for field in kind.template_fields:
            if field not in arguments(kind):
                continue
            others = {name: given for name, given in required(kind).items() if name != field}
            kind(task_id=f"plain_{field}", **others, **{field: before.output})
            kind.partial(task_id=f"expand_{field}", **others).expand(**{field: before.output})
            kind.partial(task_id=f"kwargs_{field}", **others).expand_kwargs(before.output)
    for task in [task for task in dag.tasks if task is not before]:
        how, _, field = task.task_id.partition("_")
        # What is not mapped can be rendered once only.
        for value in VALUES if how != "plain" else (list(VALUES),):
            returns({"plain": value, "expand": [value], "kwargs": [{field: value}]}[how])
            assert getattr(rendered(task, dag), field) == value, task.task_id


def test_what_a_task_group_is_mapped_over_is_not_compiled(returns: Any) -> None:
    from kaltura_provider.operators.prepare import KalturaPrepareOperator

    with DAG("d", schedule=None) as dag:
        before = BaseOperator(task_id="before")

        @task_group
        def each(batch: Any) -> None:
            KalturaPrepareOperator(task_id="prepare", source=batch, metadata={"name": "{{ 6 * 7 }}"})

        each.expand(batch=before.output)
    returns([list(VALUES)])
    made = rendered(dag.get_task("each.prepare"), dag)
    assert made.source == list(VALUES)
    assert made.metadata == {"name": "42"}


def test_templates_of_the_author_are_compiled_beside_results_of_other_tasks(returns: Any) -> None:
    from kaltura_provider.operators.prepare import KalturaPrepareOperator

    with DAG("d", schedule=None, default_args={"aws_conn_id": "{{ 'a' }}ws", "http_conn_id": "{{ 8 * 8 }}"}) as dag:
        before = BaseOperator(task_id="before")
        partial = KalturaPrepareOperator.partial(task_id="prepare", kaltura_conn_id="{{ 6 * 7 }}")
        partial.expand_kwargs(before.output)
        literal = [{"source": "{{ 6 * 7 }}"}]
        KalturaPrepareOperator.partial(task_id="literal").expand_kwargs(literal)
    returns([{"source": TEXT, "metadata": {"name": TEXT}, "http_conn_id": TEXT}])
    made = rendered(dag.get_task("prepare"), dag)
    assert (made.source, made.metadata, made.http_conn_id) == (TEXT, {"name": TEXT}, TEXT)
    assert (made.kaltura_conn_id, made.aws_conn_id) == ("42", "aws")
    assert rendered(dag.get_task("literal"), dag).source == "42"
