"""Check the package in the environment of this Python, in which nothing of the repository is installed but its wheel.

``python installed.py``, as ``make dist`` and ``make compat`` do. Prints what it found, or fails with what is missing.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tempfile
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path

DAGS = {
    "kaltura_feeds.py": """
from kaltura_provider.feeds.folder import feed_dags  # defines Airflow DAGs

globals().update(feed_dags({!r}))
""",
    "kaltura_feeds_check.py": """
from kaltura_provider.feeds.folder import check_feeds  # checks the feeds of Airflow DAGs

check_feeds({!r})
""",
    "one_video.py": """
from airflow.sdk import DAG
from kaltura_provider.operators.flavors import KalturaListFlavorsOperator
from kaltura_provider.operators.ingest import KalturaIngestOperator
from kaltura_provider.sensors.entry import KalturaEntryReadySensor

with DAG("one_video", schedule=None):
    ingest = KalturaIngestOperator(task_id="ingest", source="s3://media/trailer.mp4")
    ready = KalturaEntryReadySensor(task_id="ready", entry_id=ingest.output)
    KalturaListFlavorsOperator(task_id="flavors", entry_id=ready.output)
""",
}
FEED = "name: news\nstart_date: 2021-01-01\nsource:\n  uri: s3://media/news/{{ data_interval_start | ds }}/\n"


def main() -> int:
    """Check everything, and print one line for each."""
    home = Path(tempfile.mkdtemp(prefix="airflow-home-"))
    os.environ |= {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    for check in (files, provider, modules, plugin, command_line, dags):
        print(f"{check.__name__.replace('_', ' ')}: {check()}")
    return 0


def files() -> str:
    """The wheel brings its package, marked as typed, and nothing else of the repository."""
    package = distribution("airflow-provider-kaltura")
    paths = [str(path) for path in package.files or ()]
    tops = {path.split("/")[0] for path in paths if not path.startswith(("airflow_provider_kaltura-", ".."))}
    assert tops == {"kaltura_provider"}, tops
    assert "kaltura_provider/py.typed" in paths, "kaltura_provider/py.typed is missing"
    assert any(path.endswith("licenses/LICENSE") for path in paths), "LICENSE is missing"
    assert find_spec("kaltura_sandbox") is None, "the sandbox is installed too"
    return f"{len(paths)} of version {package.version}"


def provider() -> str:
    """Airflow finds the provider, the connection type with its form, and the links of its operators."""
    from airflow.providers_manager import ProvidersManager

    manager = ProvidersManager()
    assert "airflow-provider-kaltura" in manager.providers, sorted(manager.providers)
    hook = manager.hooks["kaltura"]
    assert hook is not None, "the hook of the connection type cannot be imported"
    links = [name for name in manager.extra_links_class_names if name.startswith("kaltura_provider.")]
    assert links, "no links"
    return f"connection type {hook.hook_name}, {len(links)} links"


def modules() -> str:
    """Every module that the provider lists can be imported."""
    from kaltura_provider import get_provider_info

    info = get_provider_info()
    names = [
        name
        for key in ("hooks", "operators", "sensors", "triggers")
        for part in info[key]
        for name in part["python-modules"]
    ]
    for name in names:
        importlib.import_module(name)
    return f"{len(names)} of hooks, operators, sensors and triggers"


def plugin() -> str:
    """Airflow loads the plugin by its entry point."""
    from airflow import plugins_manager

    loaded, errors = plugins_manager._get_plugins()
    assert not errors, errors
    names = [one.name for one in loaded]
    assert "kaltura" in names, names
    return "kaltura"


def command_line() -> str:
    """Airflow's command line has the commands of the provider, and so has the program of the package."""
    feed = Path(os.environ["AIRFLOW_HOME"]) / "news.yaml"
    feed.write_text(FEED)
    for program in (["airflow", "kaltura"], ["kaltura"]):
        command = [Path(sys.executable).with_name(program[0]), *program[1:], "feeds", "lint", feed]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr
    return f"airflow kaltura, kaltura; airflow {_version()}"


def _version() -> str:
    from airflow import __version__

    return str(__version__)


def dags() -> str:
    """The DAG files of the README give a DAG for a feed, and the operators one of their own."""
    home = Path(os.environ["AIRFLOW_HOME"])
    feeds = home / "feeds"
    for folder in (feeds, home / "dags"):
        folder.mkdir()
    (feeds / "news.yaml").write_text(FEED)
    for name, text in DAGS.items():
        (home / "dags" / name).write_text(text.format(str(feeds)) if "{!r}" in text else text)
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(home / "dags")
    assert not bag.import_errors, bag.import_errors
    assert sorted(bag.dags) == ["kaltura_feed_news", "one_video"], sorted(bag.dags)
    return ", ".join(sorted(bag.dags))


if __name__ == "__main__":
    sys.exit(main())
