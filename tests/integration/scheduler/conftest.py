"""One real deployment: scheduler, workers, triggerer and API server, with the sandbox and a real S3 server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.scheduler.live import Live, deployed


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Live]:
    """The deployment with the feeds of the module: ``feeds(bucket, site)`` returns them."""
    with deployed(tmp_path_factory.mktemp("live"), request.module.feeds) as made:
        yield made
        if request.session.testsfailed:
            processes = made.airflow.processes
            for log in processes.directory.glob("*.log"):
                print(f"== {log.name}\n{processes.tail(log.stem)}")
