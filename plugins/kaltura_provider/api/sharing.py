"""Calls of several threads in shared requests, so that work on many objects needs few HTTP requests.

Each thread works on one object and makes one call at a time. When all threads wait for an answer, their calls are sent
together, as one multirequest, and each thread gets its own answer. So a multirequest holds one step of many objects,
and never two steps of the same object: a call that depends on another one is made after the other was answered.
"""

from __future__ import annotations

import re
import threading
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from kaltura_provider.api.codes import NOT_DONE_CODES, SERVER_TROUBLE_CODES
from kaltura_provider.api.errors import KalturaAPIError, KalturaError, KalturaSessionError
from kaltura_provider.api.wire import Request, is_repeatable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from kaltura_provider.api.caller import Caller

__all__ = ["AT_ONCE", "GROUPS", "SharedCalls", "alone"]

T = TypeVar("T")

AT_ONCE = 25
"""How many threads share requests. A server that takes 0.2 s for a change then answers in 5 s, of 60 s it may take."""

GROUPS = 2
"""How many such groups of threads work at the same time."""

_ROOM = 125
_CHANGE = _ROOM // AT_ONCE
# In a multirequest, the server would replace such text with the result of another call.
_REFERENCE = re.compile(r"\{\s*\d*\s*:\s*result", re.IGNORECASE)


class SharedCallsStoppedError(RuntimeError):
    """The thread that started this work was interrupted."""


@dataclass(slots=True, eq=False)
class _Wish:
    """What one thread wants to call.

    In the end, ``answers`` holds a value or error for each request, or ``error`` is set, or ``alone`` is true and the
    thread makes the calls itself.
    """

    requests: Sequence[Request]
    repeatable: bool
    answers: list[Any] = field(default_factory=list)
    error: BaseException | None = None
    alone: bool = False
    settled: bool = False

    @property
    def weight(self) -> int:
        return sum(1 if is_repeatable(each.service, each.action) else _CHANGE for each in self.requests)


class SharedCalls:
    """A :class:`~.caller.Caller` whose calls share requests while :meth:`run` is running.

    A thread sees the same values, errors and repetitions as with ``client`` itself:

    * If one call of a shared request fails and it is safe to repeat it, its thread makes it again alone. The others
      have their answers.
    * If a shared request fails as a whole and may have been carried out, calls that are safe to repeat are made again,
      each alone. Other calls fail with the error, which is ``ambiguous``. From then on, calls of that kind are made
      alone, in case one of them was the reason.

    Outside :meth:`run`, calls go straight to ``client``.

    :param client: is used from several threads.
    """

    def __init__(self, client: Caller) -> None:
        self._client = client
        self._local = threading.local()
        # Kinds of calls (safe to repeat, or not) that no longer share requests.
        self._alone: set[bool] = set()

    def run(self, work: Callable[..., T], *arguments: Sequence[Any]) -> list[T]:
        """Return the results of ``work`` for each element, or for the elements of several sequences, in their order.

        Up to 50 are worked on at once; 25 of them share requests.

        :raises BaseException: the first error that ``work`` raised, when all work has ended.
        """
        count, results = len(arguments[0]), []
        for start in range(0, count, GROUPS * AT_ONCE):
            part = list(zip(*(each[start : start + GROUPS * AT_ONCE] for each in arguments), strict=True))
            results += self._side_by_side(work, part) if len(part) > 1 else [work(*part[0])]
        return results

    def call(
        self, service: str, action: str, params: Mapping[str, Any] | None = None, *, repeatable: bool | None = None
    ) -> Any:
        """Call an action, as ``KalturaClient.call``."""
        again = is_repeatable(service, action) if repeatable is None else repeatable
        wish = _Wish([Request(service, action, params or {})], repeatable=again)
        if not self._shared(wish):
            with self._away():
                return self._client.call(service, action, params, repeatable=repeatable)
        (answer,) = wish.answers
        if isinstance(answer, KalturaAPIError):
            raise answer
        return answer

    def multirequest(self, requests: Sequence[Request], *, repeatable: bool = False) -> list[Any]:
        """Make several calls in one request, as ``KalturaClient.multirequest``."""
        wish = _Wish(requests, repeatable=repeatable)
        # Only a separate request shows whether all of several changes were refused.
        if not repeatable or not self._shared(wish):
            with self._away():
                return self._client.multirequest(requests, repeatable=repeatable)
        return wish.answers

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let the calls of this thread go straight to ``client`` within the block, while the others go on."""
        group = self._group
        with self._away():
            self._local.group = None
            try:
                yield
            finally:
                self._local.group = group

    def _side_by_side(self, work: Callable[..., T], part: Sequence[tuple[Any, ...]]) -> list[T]:
        results: list[Any] = [None] * len(part)
        errors: list[BaseException | None] = [None] * len(part)
        groups = [_Group(len(part[start : start + AT_ONCE])) for start in range(0, len(part), AT_ONCE)]

        def member(place: int, group: _Group) -> None:
            self._local.group = group
            try:
                results[place] = work(*part[place])
            except BaseException as error:
                errors[place] = error
            finally:
                group.leave()

        threads = [
            threading.Thread(
                target=member, args=(place, groups[place // AT_ONCE]), name=f"kaltura-item-{place}", daemon=True
            )
            for place in range(len(part))
        ]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        except BaseException:
            for group in groups:
                group.stop()
            raise
        for error in errors:
            if error is not None:
                raise error
        return results

    @property
    def _group(self) -> _Group | None:
        """The group of the current thread."""
        return getattr(self._local, "group", None)

    @contextmanager
    def _away(self) -> Iterator[None]:
        """Let the other threads go on without this one."""
        group = self._group
        if group is None:
            yield
            return
        group.leave()
        try:
            yield
        finally:
            group.enter()

    def _shared(self, wish: _Wish) -> bool:
        """Make the calls together with those of other threads; return whether there are answers.

        :raises KalturaError: the shared request failed. :raises SharedCallsStoppedError: the work was interrupted.
        """
        group = self._group
        if group is None or wish.repeatable in self._alone:
            return False
        if any(_REFERENCE.search(str(request.params)) for request in wish.requests):
            return False
        self._grant(group, group.gather(wish))
        if wish.error is not None:
            raise wish.error
        return not wish.alone

    def _grant(self, group: _Group, wishes: Sequence[_Wish]) -> None:
        """Make the calls of ``wishes`` in as few requests as possible. They are settled in any case."""
        try:
            for together in _packed(wishes):
                self._grant_together(together)
        except BaseException as error:
            for wish in wishes:
                if not (wish.answers or wish.alone or wish.error):
                    wish.error = error
        finally:
            group.settle(wishes)

    def _grant_together(self, wishes: Sequence[_Wish]) -> None:
        if len(wishes) == 1:
            wishes[0].alone = True
            return
        calls: list[Request] = []
        places = _places(wishes, calls)
        try:
            answers = self._client.multirequest(calls, repeatable=False)
        except KalturaError as error:
            for wish in wishes:
                wish.alone = error.ambiguous and wish.repeatable
                wish.error = None if wish.alone else error
            if error.ambiguous:
                self._alone.add(wishes[0].repeatable)
            return
        for wish, mine in zip(wishes, places, strict=True):
            wish.answers = [answers[place] for place in mine]
            wish.alone = any(_repeats(wish, answer) for answer in wish.answers)


def alone(caller: Caller) -> AbstractContextManager[None]:
    """Let calls of this thread share no requests within the block, if ``caller`` shares any."""
    return caller.alone() if isinstance(caller, SharedCalls) else nullcontext()


class _Group:
    """Threads that share requests: one of them makes the calls of all as soon as every thread waits for an answer."""

    def __init__(self, members: int) -> None:
        self._turn = threading.Condition()
        self._members = members
        self._wishes: list[_Wish] = []
        self._stopped = False

    def enter(self) -> None:
        """Wait for this thread from now on."""
        with self._turn:
            self._members += 1

    def leave(self) -> None:
        """Wait for this thread no longer."""
        with self._turn:
            self._members -= 1
            self._turn.notify_all()

    def stop(self) -> None:
        """Make every thread that waits, or will wait, raise."""
        with self._turn:
            self._stopped = True
            self._turn.notify_all()

    def gather(self, wish: _Wish) -> list[_Wish]:
        """Wait until ``wish`` is settled, or until all threads wait: then return all wishes, for this thread to settle.

        :raises SharedCallsStoppedError: the work was interrupted.
        """
        with self._turn:
            self._wishes.append(wish)
            self._turn.wait_for(lambda: wish.settled or self._stopped or self._all_wait)
            if self._stopped:
                raise SharedCallsStoppedError("the work was interrupted")
            if wish.settled:
                return []
            wishes, self._wishes = self._wishes, []
            return wishes

    @property
    def _all_wait(self) -> bool:
        return 0 < self._members <= len(self._wishes)

    def settle(self, wishes: Sequence[_Wish]) -> None:
        """Let the threads of ``wishes`` go on."""
        if wishes:
            with self._turn:
                for wish in wishes:
                    wish.settled = True
                self._turn.notify_all()


def _packed(wishes: Sequence[_Wish]) -> Iterator[list[_Wish]]:
    """Yield the wishes in groups that each go into one request; those that are safe to repeat are apart."""
    for repeatable in (True, False):
        group: list[_Wish] = []
        weight = 0
        for wish in wishes:
            if wish.repeatable is not repeatable:
                continue
            if group and weight + wish.weight > _ROOM:
                yield group
                group, weight = [], 0
            group.append(wish)
            weight += wish.weight
        if group:
            yield group


def _places(wishes: Sequence[_Wish], calls: list[Request]) -> list[list[int]]:
    """Add the calls of ``wishes`` to ``calls``, equal reads once; return where the calls of each wish are."""
    known: dict[str, int] = {}
    places = []
    for wish in wishes:
        mine = []
        for request in wish.requests:
            key = repr(request) if is_repeatable(request.service, request.action) else ""
            if key not in known:
                calls.append(request)
                mine.append(len(calls) - 1)
                if key:
                    known[key] = mine[-1]
            else:
                mine.append(known[key])
        places.append(mine)
    return places


def _repeats(wish: _Wish, answer: Any) -> bool:
    """Whether a client would repeat a call that ended like this."""
    if not isinstance(answer, KalturaAPIError):
        return False
    trouble = wish.repeatable and answer.code in SERVER_TROUBLE_CODES
    return isinstance(answer, KalturaSessionError) or answer.code in NOT_DONE_CODES or trouble
