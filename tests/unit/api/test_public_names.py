import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import kaltura_provider.api as api

_FOLDER = Path(api.__file__).parent
_MODULES = sorted(path.stem for path in _FOLDER.glob("*.py") if path.stem != "__init__")


def test_every_public_name_can_be_imported():
    missing = [name for name in api.__all__ if not hasattr(api, name)]
    assert missing == []
    assert len(set(api.__all__)) == len(api.__all__)
    assert set(api.__all__) <= set(dir(api))


def test_nothing_else_is_public():
    with pytest.raises(AttributeError, match="no attribute 'Planner'"):
        _ = api.Planner


def test_no_module_is_named_like_something_public():
    assert set(_MODULES) & set(api.__all__) == set()


@pytest.mark.parametrize("module", _MODULES)
def test_every_module_says_what_it_offers(module):
    loaded = import_module(f"kaltura_provider.api.{module}")
    assert loaded.__doc__
    assert all(hasattr(loaded, name) for name in loaded.__all__)
    # Whatever a module calls public is its own, except what it hands on by name.
    own = [n for n in loaded.__all__ if getattr(getattr(loaded, n), "__module__", loaded.__name__) == loaded.__name__]
    assert own


def test_light_names_cost_no_http_library():
    program = (
        "import sys\n"
        "from kaltura_provider.api import EntryStatus, KalturaError, RetryPolicy, thumbnail_url, result, Credentials\n"
        "heavy = {'requests', 'httpx', 'urllib3', 'cryptography', 'airflow', 'boto3'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_nothing_of_the_layer_knows_airflow_or_files():
    program = (
        "import sys, kaltura_provider.api as api\n"
        "[getattr(api, name) for name in api.__all__]\n"
        "wrong = {'airflow', 'boto3', 'botocore'} & set(sys.modules)\n"
        "sys.exit(f'imported {wrong}' if wrong else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
