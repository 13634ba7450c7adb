"""A sandbox, connections to it, and Airflow's own trigger runner inside the test's process."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from airflow.executors.workloads import RunTrigger
from airflow.jobs.triggerer_job_runner import TriggerRunner
from airflow.models.trigger import Trigger

from kaltura_sandbox.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from kaltura_provider.triggers.base import KalturaTrigger

CONNECTION = "kaltura_waiting"


def connection_of(sandbox: Sandbox) -> str:
    return json.dumps(
        {
            "conn_type": "kaltura",
            "host": sandbox.url,
            "login": str(sandbox.partner_id),
            "password": sandbox.admin_secret,
        }
    )


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Run a Kaltura in which nothing moves unless the test says so, and the connection ``kaltura_waiting`` to it."""
    with Sandbox(run_jobs=False) as running:
        monkeypatch.setenv(f"AIRFLOW_CONN_{CONNECTION.upper()}", connection_of(running))
        yield running


@pytest.fixture
def second_sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Another account, behind the connection ``kaltura_other``."""
    with Sandbox(run_jobs=False) as running:
        monkeypatch.setenv("AIRFLOW_CONN_KALTURA_OTHER", connection_of(running))
        yield running


class Entries:
    """Makes entries and puts them into any status."""

    def __init__(self, sandbox: Sandbox) -> None:
        from kaltura_provider.api.client import KalturaClient
        from kaltura_provider.api.credentials import AuthMethod, Credentials

        self.control = sandbox.control
        self.client = KalturaClient(
            sandbox.url, Credentials(sandbox.partner_id, AuthMethod.SECRET, sandbox.admin_secret)
        )

    def make(self, status: int | str = 1, **properties: Any) -> str:
        entry = self.client.call(
            "media", "add", {"entry": {"objectType": "KalturaMediaEntry", "name": "wait", "mediaType": 1}}
        )
        self.move(entry["id"], status, **properties)
        return str(entry["id"])

    def move(self, entry_id: str, status: int | str, **properties: Any) -> None:
        self.control.set_entry(entry_id, status=status, flavorParamsIds="0", **properties)

    def calls(self) -> Counter[str]:
        """Count the calls so far, except those of this helper."""
        counted = Counter({name.lower(): number for name, number in self.control.state()["calls"].items()})
        del counted["media.add"]
        return counted


@pytest.fixture
def entries(sandbox: Sandbox) -> Iterator[Entries]:
    made = Entries(sandbox)
    yield made
    made.client.close()


@pytest.fixture
def entries_of() -> Iterator[Callable[[Sandbox], Entries]]:
    with contextlib.ExitStack() as stack:

        def make(sandbox: Sandbox) -> Entries:
            made = Entries(sandbox)
            stack.callback(made.client.close)
            return made

        yield make


class Triggerer:
    """Airflow's ``TriggerRunner`` without its supervisor: triggers go in by hand, events are looked at."""

    def __init__(self) -> None:
        self.runner = TriggerRunner()
        self._next_id = 0
        self.events: dict[int, Any] = {}
        self.failures: dict[int, BaseException | None] = {}

    async def start(self, *triggers: KalturaTrigger) -> list[int]:
        ids = []
        for trigger in triggers:
            self._next_id += 1
            ids.append(self._next_id)
            classpath, kwargs = trigger.serialize()
            self.runner.to_create.append(
                RunTrigger(id=self._next_id, classpath=classpath, encrypted_kwargs=Trigger.encrypt_kwargs(kwargs))
            )
        await self.step()
        return ids

    async def cancel(self, trigger_id: int) -> None:
        self.runner.to_cancel.append(trigger_id)
        await self.step()

    async def step(self) -> None:
        await self.runner.cleanup_finished_triggers()
        await self.runner.create_triggers()
        await self.runner.cancel_triggers()
        while self.runner.events:
            entry = self.runner.events.popleft()
            assert entry.trigger_id not in self.events, "a trigger of a task fires once"
            self.events[entry.trigger_id] = entry.event
        while self.runner.failed_triggers:
            trigger_id, error = self.runner.failed_triggers.popleft()
            self.failures[trigger_id] = error

    async def until(self, done: Callable[[], bool], seconds: float = 20.0) -> None:
        async with asyncio.timeout(seconds):
            while not done():
                await asyncio.sleep(0.02)
                await self.step()

    async def wait_for(self, *ids: int, seconds: float = 20.0) -> list[dict[str, Any]]:
        """Wait for the events of these triggers and return their payloads."""
        await self.until(lambda: all(one in self.events or one in self.failures for one in ids), seconds)
        assert not self.failures
        return [self.events[one].payload for one in ids]

    @property
    def streams(self) -> set[Any]:
        """Keys of the polls that run."""
        return set(self.runner._shared_streams._groups)

    async def stop(self) -> None:
        """Stop as a triggerer process does: everything is cancelled, nothing is told."""
        tasks = [details["task"] for details in self.runner.triggers.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.runner._shared_streams.stop_all()


@pytest.fixture
async def triggerer() -> AsyncIterator[Triggerer]:
    running = Triggerer()
    yield running
    await running.stop()


@pytest.fixture
async def second_triggerer() -> AsyncIterator[Triggerer]:
    running = Triggerer()
    yield running
    await running.stop()
