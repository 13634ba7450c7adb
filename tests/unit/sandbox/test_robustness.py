"""Nonsense of every kind is answered, never crashed on."""

from __future__ import annotations

import logging
import random
from typing import Any

import pytest

from kaltura_sandbox import Sandbox
from kaltura_sandbox.api.registry import Action, Service
from kaltura_sandbox.api.types import ObjectType

CALLS = 1500
SCALARS: list[Any] = [
    *(
        "",
        "abc",
        "-1",
        "0",
        "1",
        "2",
        "99999999999",
        "true",
        "\u00e9\U0001f600",
        None,
        True,
        1.5,
        -5,
        "1,2,3",
        [],
        {"a": "b"},
    ),
    *([1, 2], "a" * 300, "1;DROP TABLE entries", "%", "'", '"', "x\x00y", "{1:result:id}", "../../etc/passwd"),
]


class Nonsense:
    """Draws parameters for actions: wrong types, unknown ids, half-filled objects."""

    def __init__(self, seed: int, ids: list[str]) -> None:
        self._random, self._ids = random.Random(seed), ids

    def action(self) -> Action:
        service = self._random.choice(list(Service.registry.values()))
        return self._random.choice(list(service.actions.values()))

    def scalar(self) -> Any:
        return self._random.choice([*SCALARS, *self._ids, *self._ids])

    def object(self, declared: ObjectType, depth: int = 0) -> dict[str, Any]:
        kinds = [kind for kind in ObjectType.registry.values() if kind.is_a(declared)]
        kind = self._random.choice(kinds)
        value: dict[str, Any] = {"objectType": self._random.choice([kind.name, kind.name, "KalturaNoSuch"])}
        for name, prop in kind.properties.items():
            if self._random.random() < min(0.5, 6 / len(kind.properties)):
                nested = isinstance(prop.type, ObjectType) and depth < 2
                null = "__null" if self._random.random() < 0.1 else ""
                value[name + null] = self.object(prop.type, depth + 1) if nested else self.scalar()  # type: ignore[arg-type]
        return value

    def params(self, action: Action) -> dict[str, Any]:
        drawn: dict[str, Any] = {}
        for declared in action.params:
            if self._random.random() < 0.9:
                whole = isinstance(declared.type, ObjectType) and self._random.random() < 0.9
                drawn[declared.name] = self.object(declared.type) if whole else self.scalar()  # type: ignore[arg-type]
        return drawn


@pytest.mark.parametrize("seed", [1, 2])
def test_no_action_breaks_on_nonsense(caplog: pytest.LogCaptureFixture, client: Any, seed: int) -> None:
    caplog.set_level(logging.ERROR)
    with Sandbox(run_jobs=False, final_wait=0.05, final_time=0) as sandbox:
        api = client(sandbox)
        ids = [
            "0_nosuch",
            api.media(name="a"),
            api.media(name="b", mediaType=2),
            api.token(),
            api.full_token(b"x" * 99),
        ]
        ids.append(api("data", "add", dataEntry={"dataContent": "x"})["id"])
        nonsense, ended = Nonsense(seed, ids), 0
        for _ in range(CALLS):
            action = nonsense.action()
            url = f"{sandbox.service_url}/service/{action.service}/action/{action.name}"
            reply = api._session.post(url, json={"ks": api.ks, "format": 1, **nonsense.params(action)})
            assert reply.status_code in (200, 302) or (action.name == "start" and reply.status_code == 500)
            if action.name == "end":
                ended, api.ks = ended + 1, sandbox.ks()
        assert sandbox.control.state()["requests"] > CALLS
    broken = [record.getMessage() for record in caplog.records if record.exc_info]
    assert broken == []
