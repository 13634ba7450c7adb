"""The pinned set of libraries works together: everything this project uses can be imported and is registered."""

from __future__ import annotations

import importlib
import json
import pkgutil
import subprocess
import sys

import pytest

import kaltura_provider

HEAVY = ("boto3", "botocore", "airflow.providers.amazon", "requests", "fastapi", "cryptography", "google_crc32c")


def modules() -> list[str]:
    return sorted(info.name for info in pkgutil.walk_packages(kaltura_provider.__path__, "kaltura_provider."))


@pytest.mark.parametrize("name", modules())
def test_every_module_can_be_imported(name: str) -> None:
    assert importlib.import_module(name).__doc__


def test_the_celery_executor_loads_with_the_pinned_celery() -> None:
    module = importlib.import_module("airflow.providers.celery.executors.celery_executor")
    assert module.CeleryExecutor


def test_airflow_knows_the_provider_and_its_connection_form() -> None:
    from airflow.providers_manager import ProvidersManager
    from airflow.sdk.providers_manager_runtime import ProvidersManagerTaskRuntime

    manager = ProvidersManager()
    assert manager.providers["airflow-provider-kaltura"].version == kaltura_provider.__version__
    hook = ProvidersManagerTaskRuntime().hooks["kaltura"]
    assert hook is not None
    assert hook.hook_class_name == "kaltura_provider.hooks.kaltura.KalturaHook"


def test_the_plugin_is_registered_once() -> None:
    from airflow import plugins_manager

    plugins, errors = plugins_manager._get_plugins()
    assert [plugin.name for plugin in plugins].count("kaltura") == 1
    assert not [error for error in errors if "kaltura" in str(error).lower()]


def test_parsing_the_dags_loads_nothing_heavy() -> None:
    script = (
        "import sys, json; from airflow.sdk import DAG, Asset; from airflow.sdk.execution_time import task_runner\n"
        "before = set(sys.modules)\n"
        "import runpy\n"
        "for name in ('kaltura_feeds', 'kaltura_feeds_check', 'kaltura_ingest'):\n"
        "    runpy.run_path(f'dags/{name}.py')\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120)
    loaded = json.loads(done.stdout.splitlines()[-1])
    assert "kaltura_provider.feeds.dag" in loaded
    assert not [name for name in loaded if name.startswith(HEAVY)]


def test_only_api_servers_load_the_board() -> None:
    # Schedulers, workers, triggerers and DAG processors load the plugin and these modules.
    script = (
        "import sys, json, runpy\n"
        "from airflow import plugins_manager\n"
        "plugins_manager._get_plugins(), plugins_manager.get_fastapi_plugins()\n"
        "import kaltura_provider.operators.ingest, kaltura_provider.sensors.entry, kaltura_provider.triggers.entry\n"
        "for name in ('kaltura_feeds', 'kaltura_ingest'):\n"
        "    runpy.run_path(f'dags/{name}.py')\n"
        "print(json.dumps(sorted(name for name in sys.modules if name.startswith('kaltura_provider.board'))))\n"
        # What an API server does with the middlewares of plugins when it starts.
        "import threading\n"
        "middlewares = plugins_manager.get_fastapi_plugins()[1]\n"
        "(warm_up,) = [one['middleware'] for one in middlewares if 'board' in one['name']]\n"
        "assert warm_up(sys) is sys\n"
        "[thread.join(90) for thread in threading.enumerate() if thread.name == 'kaltura-board']\n"
        "print(json.dumps('kaltura_provider.board.app' in sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120)
    light = ["kaltura_provider.board", "kaltura_provider.board.link", "kaltura_provider.board.mount"]
    said = [line for line in done.stdout.splitlines() if line.startswith(('["kaltura', "true", "false"))]
    assert [json.loads(line) for line in said] == [light, True]
