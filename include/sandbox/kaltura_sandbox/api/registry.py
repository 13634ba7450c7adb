"""Services and their actions, declared with typed parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kaltura_sandbox.api.types import ValueType

__all__ = ["REQUIRED", "Action", "Level", "Param", "Service", "find_action", "find_service", "param"]

Handler = Callable[..., Any]


class _Required:
    """Marks a parameter without default."""


REQUIRED = _Required()


class Level(IntEnum):
    """The least session an action asks for."""

    NONE = 0
    WIDGET = 1
    USER = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of an action."""

    name: str
    type: ValueType
    default: Any = REQUIRED


def param(name: str, type_: ValueType, default: Any = REQUIRED) -> Param:
    """Declare a parameter; one without default is mandatory."""
    return Param(name, type_, default)


@dataclass(frozen=True, slots=True)
class Action:
    """One action: its handler is called with the Call and the parameters in declared order.

    ``owner`` names the parameter with the entry id that a USER session must own (or hold ``edit`` for).
    """

    service: str
    name: str
    handler: Handler
    params: tuple[Param, ...]
    level: Level
    owner: str = ""
    returns_file: bool = False


class Service:
    """A service by its Kaltura name; declares actions with ``@service.action(...)``."""

    registry: dict[str, Service] = {}  # noqa: RUF012 - the one registry of all services

    def __init__(self, name: str) -> None:
        self.name = name
        self.actions: dict[str, Action] = {}
        Service.registry[name.lower()] = self

    def action(
        self, name: str, *params: Param, level: Level = Level.USER, owner: str = "", returns_file: bool = False
    ) -> Callable[[Handler], Handler]:
        """Register the decorated function as an action."""

        def register(handler: Handler) -> Handler:
            self.actions[name.lower()] = Action(self.name, name, handler, params, level, owner, returns_file)
            return handler

        return register

    def alias(self, name: str, action: Action, *, level: Level | None = None) -> None:
        """Offer an action of another service under this one."""
        self.actions[name.lower()] = Action(
            self.name,
            name,
            action.handler,
            action.params,
            action.level if level is None else level,
            action.owner,
            action.returns_file,
        )


def find_service(name: str) -> Service | None:
    """Return a service by name, in any case."""
    return Service.registry.get(name.lower())


def find_action(service: Service, name: str) -> Action | None:
    """Return an action of a service by name, in any case."""
    return service.actions.get(name.lower())
