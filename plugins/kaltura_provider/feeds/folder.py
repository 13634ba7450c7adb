"""Turn a folder of feeds into DAGs.

A deployment needs two DAG files. One defines the DAGs::

    from kaltura_provider.feeds.folder import feed_dags  # builds Airflow DAGs

    globals().update(feed_dags("/opt/airflow/feeds"))

The other reports feeds that cannot become a DAG::

    from kaltura_provider.feeds.folder import check_feeds  # checks the feeds of Airflow DAGs

    check_feeds("/opt/airflow/feeds")

They are two files because Airflow stops scheduling every DAG of a file that has an import error. The comments matter:
Airflow only reads files that contain the words "airflow" and "dag".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk import get_parsing_context

from kaltura_provider.feeds.dag import feed_dag
from kaltura_provider.feeds.fields.problems import Problem, shortened
from kaltura_provider.feeds.files.load import FeedError, load_feeds, load_files, problem_of
from kaltura_provider.feeds.schema import DAG_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow.sdk import DAG

    from kaltura_provider.feeds.files.load import Feeds
    from kaltura_provider.feeds.schema import Feed

__all__ = ["FeedDags", "build_feeds", "build_files", "check_feeds", "feed_dags"]


@dataclass
class FeedDags:
    """The DAGs of a folder, each of which Airflow can store, and the problems of all other feeds."""

    dags: list[DAG] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def feed_dags(folder: str | Path) -> dict[str, DAG]:
    """Return the DAG of every valid feed in a folder, by DAG id. Feeds with errors are left out.

    Where Airflow parses the file for a single task, only that task's DAG is built.

    :param folder: absolute path of the folder that holds the YAML files.
    """
    return {dag.dag_id: dag for dag in build_feeds(folder, only=get_parsing_context().dag_id).dags}


def check_feeds(folder: str | Path) -> None:
    """Check every feed in a folder.

    :param folder: absolute path of the folder that holds the YAML files.
    :raises FeedError: at least one feed cannot become a DAG; names the file, line and field of each problem.
    """
    if problems := build_feeds(folder).problems:
        raise FeedError(*problems, heading="\n")


def build_feeds(folder: str | Path, *, only: str | None = None) -> FeedDags:
    """Build the DAG of every feed in a folder. A feed with an error does not affect the others.

    :param folder: absolute path of the folder that holds the YAML files.
    :param only: the id of a single DAG to build.
    """
    folder = Path(folder)
    if not folder.is_absolute():
        why = "is a relative path, and Airflow's processes start in different folders; give an absolute path"
        return FeedDags(problems=[Problem(folder, 0, why)])
    if not folder.is_dir():
        why = "is not a folder; create it, or correct the path"
        return FeedDags(problems=[Problem(folder, 0, why)])
    name = None if only is None else only.removeprefix(DAG_PREFIX)
    try:
        return _built(load_feeds(folder, only=name), only)
    except FeedError as error:
        return FeedDags(problems=list(error.problems))


def build_files(paths: Iterable[Path]) -> FeedDags:
    """Build the DAG of the feed in each of some files, as :func:`build_feeds` does."""
    return _built(load_files(paths), None)


def _built(loaded: Feeds, only: str | None) -> FeedDags:
    # Airflow has stored the DAG of a running task. Serializing it again would cost each task half a second.
    build = _storable if only is None else feed_dag
    built = FeedDags(problems=loaded.problems)
    for feed in loaded.feeds:
        if only is not None and feed.dag_id != only:
            continue
        try:
            built.dags.append(build(feed))
        except Exception as error:
            problem = f"Airflow rejects the DAG: {shortened(f'{type(error).__name__}: {error}')}"
            built.problems.append(problem_of(loaded.paths[feed.name], _culprit(feed), problem))
    return built


def _storable(feed: Feed) -> DAG:
    """Build the DAG of a feed, and validate and serialize it as Airflow's DAG processor will.

    In Airflow, one DAG that cannot be serialized takes all DAGs of its file with it.
    """
    from airflow.serialization.serialized_objects import DagSerialization

    dag: Any = feed_dag(feed)
    dag.validate()
    dag.check_cycle()
    DagSerialization.to_dict(dag)
    return cast("DAG", dag)


def _culprit(feed: Feed) -> str:
    """Return the one field whose value prevents the DAG; ``feed`` if no single field does."""
    for name in sorted(feed.model_fields_set):
        default = type(feed).model_fields[name]
        if default.is_required():
            continue
        try:
            _storable(feed.model_copy(update={name: default.get_default()}))
        except Exception:  # noqa: S112 - this field is not the cause, or not the only one
            continue
        return name
    return "feed"
