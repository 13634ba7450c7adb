"""Plays recordings against a sandbox, step by step, and keeps the verdict on each."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.compare import compare
from conformance.content import file_content
from conformance.drive import Driver
from conformance.mapping import TOKEN, IdMap
from conformance.provision import Provider
from conformance.sender import Reply, send
from conformance.sessions import session_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from conformance.recording import Recording, Step
    from conformance.sessions import Account

__all__ = ["Verdict", "play"]

_PARALLEL = re.compile(r"\bin parallel$|^par(\d+)\b.*\bchunk at \d+$")
_REFUSED = "UPLOAD_TOKEN_FILE_TYPE_RESTRICTED_FOR_UPLOAD"


@dataclass(frozen=True)
class Verdict:
    """What came of one step."""

    step: Step
    differences: list[str] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        return not self.differences


def play(recordings: Iterable[Recording], account: Account, *, skipped: frozenset[str] = frozenset()) -> list[Verdict]:
    """Replay recordings in order against one sandbox; ids found in one are known in the next.

    :param skipped: names of steps (``05#12``) that are not sent at all.
    """
    ids = IdMap()
    verdicts: list[Verdict] = []
    for recording in recordings:
        player = _Player(recording, account, ids)
        verdicts += player.play(skipped)
    return verdicts


class _Player:
    def __init__(self, recording: Recording, account: Account, ids: IdMap) -> None:
        self._recording, self._account, self._url, self._ids = recording, account, account.url, ids
        self._new_sessions()
        self._provider = Provider(account.url, ids, recording)
        self._driver = Driver(account.url, ids, recording)
        self._raced: set[str] = set()
        self._refused = _refused_content(recording)

    def play(self, skipped: frozenset[str]) -> list[Verdict]:
        verdicts = []
        for group in _groups(step for step in self._recording.steps if step.name not in skipped):
            for step in group:
                self._provider.prepare(step)
                self._driver.before(step)
            if len(group) > 1:
                self._raced.update(found for step in group for found in _tokens(step))
            replies = self._send_all(group)
            verdicts += [self._judge(step, reply) for step, reply in zip(group, replies, strict=True)]
            if group[0].call == ("session", "end"):
                self._new_sessions()
        return verdicts

    def _new_sessions(self) -> None:
        for name, value in session_words(self._account).items():
            self._ids.set_word(name, value)

    def _send_all(self, group: list[Step]) -> list[Reply]:
        """Send the steps of a group; those that were all sent at once meet at a barrier first."""
        workers = _workers(group)
        barrier = threading.Barrier(workers if workers == len(group) else 1, timeout=30)
        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(lambda step: self._send(step, barrier), group))

    def _send(self, step: Step, barrier: threading.Barrier) -> Reply:
        service = step.call[0]
        fields = {
            name: self._ids.number(service, name, self._ids.translate(str(value)))
            for name, value in step.fields.items()
        }
        files = {
            name: (part["filename"], part["content_type"], self._content(part)) for name, part in step.files.items()
        }
        request = dict(step.request, path=self._ids.translate(step.request["path"]))
        request["json"] = self._ids.translate_value(step.request.get("json"))
        return send(self._url, request, fields, files, barrier.wait)

    def _content(self, part: dict[str, str]) -> bytes:
        sha1 = part.get("sha1", "")
        return file_content(part["filename"], int(part["size"]), sha1, refused=sha1 in self._refused)

    def _judge(self, step: Step, reply: Reply) -> Verdict:
        status = step.reply.get("status") if isinstance(step.reply, dict) else None
        raced = status == 1 and any(token in self._raced for token in _tokens(step))
        return Verdict(step, compare(step, reply, self._ids, raced=raced))


def _groups(steps: Iterable[Step]) -> Iterator[list[Step]]:
    """Yield steps that were sent at the same time together, all others alone."""
    group: list[Step] = []
    for step in steps:
        if _PARALLEL.search(step.title) and (not group or _same_race(group[-1], step)):
            group.append(step)
            continue
        if group:
            yield group
        group = [step] if _PARALLEL.search(step.title) else []
        if not group:
            yield [step]
    if group:
        yield group


def _same_race(one: Step, other: Step) -> bool:
    same_token = _tokens(one) == _tokens(other)
    if one.title.endswith("in parallel"):
        return same_token and re.sub(r"\d+", "", one.title) == re.sub(r"\d+", "", other.title)
    return same_token


def _workers(group: list[Step]) -> int:
    match = re.match(r"par(\d+)", group[0].title)
    return int(match[1]) if match and len(group) > 1 else len(group)


def _tokens(step: Step) -> list[str]:
    return sorted({found for value in step.sent_values for found in TOKEN.findall(value)})


def _refused_content(recording: Recording) -> set[str]:
    """SHA-1 of the files whose type the real server refused, and of what was sent to the same token before."""
    tokens = {token for step in recording.steps if step.error_code == _REFUSED for token in _tokens(step)}
    return {part["sha1"] for step in recording.steps if tokens & set(_tokens(step)) for part in step.files.values()}
