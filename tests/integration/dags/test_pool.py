"""The pool of ingests: the plugin creates it, and all tasks of feeds and of the trigger form are in it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from kaltura_provider.hooks.pool import pool_slots, run_share
from kaltura_provider.plugin import chosen_listeners
from kaltura_provider.pool_listener import PoolListener

LISTENER = PoolListener()
FEED = {
    "name": "news",
    "start_date": "2024-03-01",
    "source": {"type": "manifest", "uri": "s3://media/list.csv", "allow": ["delete"]},
}


@pytest.fixture
def pools(airflow_db):
    from airflow.models.pool import Pool
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    def names() -> dict[str, int]:
        with create_session() as session:
            return {pool.pool: pool.slots for pool in Pool.get_pools(session=session)}

    def clear() -> None:
        with create_session() as session:
            session.execute(delete(Pool).where(Pool.pool != Pool.DEFAULT_POOL_NAME))

    clear()
    yield names
    clear()


def test_a_component_that_starts_creates_the_pool_once(pools) -> None:
    from airflow.jobs.job import Job

    Job()  # as the scheduler does
    assert pools()["kaltura"] == pool_slots()
    Job()
    assert len(pools()) == 2


def test_a_task_process_asks_no_database(pools) -> None:
    from airflow.sdk.listener import get_listener_manager

    get_listener_manager().hook.on_starting(component=SimpleNamespace())
    assert set(pools()) == {"default_pool"}


def test_a_deployment_can_do_without_listeners() -> None:
    assert [type(one).__name__ for one in chosen_listeners({})] == ["PoolListener", "NoteListener"]
    assert chosen_listeners({"KALTURA_LISTENERS": "off"}) == []


def test_a_run_whose_pool_is_missing_gets_it(pools, deployment) -> None:
    dag = deployment.feed(**FEED, pool="nightly")
    LISTENER.on_dag_run_running(SimpleNamespace(dag=dag), "started")
    assert set(pools()) == {"default_pool", "nightly"}


def test_runs_of_other_dags_are_none_of_its_business(pools) -> None:
    dag = SimpleNamespace(tags={"other"}, tasks=[SimpleNamespace(pool="theirs")])
    LISTENER.on_dag_run_running(SimpleNamespace(dag=dag), "started")
    assert set(pools()) == {"default_pool"}


def test_all_tasks_are_in_one_pool(deployment, monkeypatch) -> None:
    def used(dag) -> set[str]:
        return {task.pool for task in dag.tasks}

    assert used(deployment.feed(**FEED)) == {"kaltura"}
    assert used(deployment.form()) == {"kaltura"}
    assert used(deployment.feed(**FEED, pool="nightly")) == {"nightly"}
    monkeypatch.setenv("KALTURA_POOL", "media")
    assert used(deployment.feed(**FEED)) == {"media"}
    assert used(deployment.form()) == {"media"}


def test_one_run_leaves_a_part_of_the_pool_to_others(monkeypatch) -> None:
    for parallelism in (1, 8, 32, 128):
        monkeypatch.setenv("AIRFLOW__CORE__PARALLELISM", str(parallelism))
        assert 1 <= run_share(1000) < pool_slots()
        assert pool_slots() < parallelism or parallelism == 1
    assert run_share(8) == 8
