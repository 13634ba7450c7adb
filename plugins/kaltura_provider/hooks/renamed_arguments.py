"""Old names of arguments: still accepted, with a deprecation warning."""

from __future__ import annotations

import warnings
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.exceptions import AirflowProviderDeprecationWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow.sdk import BaseOperator

__all__ = ["renamed_arguments"]

OperatorT = TypeVar("OperatorT", bound="type[BaseOperator]")

# The names that `partial()` and `expand()` accept. Airflow's metaclass stores them on each constructor. There is not a
# public way to add one. The alternative, old names in the signature itself, would show them in editors and in the docs,
# and would make the new names optional.
_KNOWN = "_BaseOperatorMeta__param_names"


def renamed_arguments(renamed: Mapping[str, str]) -> Callable[[OperatorT], OperatorT]:
    """Return a class decorator that lets an operator or sensor take arguments under their old names too.

    It works for plain tasks, for ``partial()`` and for ``expand()``. The decorated class must define ``__init__``.

    :param renamed: old name -> new name.
    """

    def decorate(operator: OperatorT) -> OperatorT:
        changed: Any = operator
        init = changed.__init__

        @wraps(init)
        def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - it becomes the class's
            init(self, *args, **_under_new_names(type(self).__name__, renamed, kwargs))

        def partial(cls: Any, /, **kwargs: Any) -> Any:
            return super(changed, cls).partial(**_under_new_names(cls.__name__, renamed, kwargs))

        # This wrapper must run before Airflow's, which checks that required arguments are present. Airflow compares
        # `__wrapped__` to recognize the outermost constructor.
        __init__.__wrapped__ = init.__wrapped__
        setattr(__init__, _KNOWN, {*getattr(init, _KNOWN), *renamed})
        changed.__init__ = __init__
        changed.partial = classmethod(partial)
        return operator

    return decorate


def _under_new_names(operator: str, renamed: Mapping[str, str], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments with the old names replaced.

    :raises TypeError: an argument is given under both names.
    """
    known = dict(arguments)
    for old, new in renamed.items():
        if old not in known:
            continue
        if new in known:
            raise TypeError(f"{operator} got {old} and {new}: give {new} only; {old} is its old name")
        warnings.warn(
            f"The argument {old} of {operator} is deprecated: use {new}",
            AirflowProviderDeprecationWarning,
            stacklevel=3,
        )
        known[new] = known.pop(old)
    return known
