"""Stands in for the batch workers of a recording: lets the sandbox's jobs come to what the recorded ones came to.

The real server had no transcoder; a stand-in closed its jobs, and the recording holds the job table after such steps
(`db_after.jobs`: id, type, engine, status). The differences between two such tables are turned into events for the
sandbox's control API. How entries and flavors move then is the sandbox's own doing.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from conformance.recording import objects_in
from conformance.sender import send

if TYPE_CHECKING:
    from conformance.mapping import IdMap
    from conformance.recording import Recording, Step

__all__ = ["Driver"]

CONVERT, IMPORT, POST_CONVERT, EXTRACT = "0", "1", "11", "14"
LAST_ENGINE = "99"
FINISHED, FAILED = "5", "6"
_READS = ("get", "list")
_MEDIA = {"width": "width", "height": "height", "bitrate": "bitrate", "frameRate": "frame_rate"}
_PROBED = ("width", "height", "bitrate", "frameRate", "containerFormat", "videoCodecId", "status")


class Driver:
    """Brings the sandbox's jobs to where the recorded ones were before each step that only reads."""

    def __init__(self, base_url: str, ids: IdMap, recording: Recording) -> None:
        self._base_url, self._ids, self._steps = base_url, ids, recording.steps
        self._jobs: dict[str, dict[str, list[str]]] = {}

    def before(self, step: Step) -> None:
        """Do what happened on the real server between the step before and this one."""
        if step.call[1] not in _READS:
            return
        entry = str(step.fields.get("entryId") or step.fields.get("filter:entryIdEqual") or "")
        if "set by SQL" in step.note:
            self._edit(step, entry)
        if isinstance(step.reply, dict) and step.reply.get("objectType") == "KalturaBulkUpload":
            self._bulk(step.reply)
        if "jobs" in step.after and entry in self._ids:
            jobs = {row[0]: row for row in step.after["jobs"] if len(row) == 4}
            before = self._jobs.get(entry, {})
            self._advance(entry, before, jobs)
            self._jobs[entry] = jobs

    def _advance(self, entry: str, before: dict[str, list[str]], jobs: dict[str, list[str]]) -> None:
        # The flavors each job worked on, by the order in which the jobs were made.
        made = self._renditions(entry)
        first = [row for row in jobs.values() if row[1] == CONVERT and row[2] != LAST_ENGINE]
        params = dict(zip([row[0] for row in first], made, strict=False))
        again = [row[0] for row in jobs.values() if row[1] == CONVERT and row[2] == LAST_ENGINE]
        params |= dict(zip(again, [params.get(row[0]) for row in first if row[3] == FAILED], strict=False))
        checks = [row[0] for row in jobs.values() if row[1] == POST_CONVERT]
        params |= dict(zip(checks, [params.get(row[0]) for row in first if row[3] == FINISHED], strict=False))
        for number, (_, kind, engine, status) in jobs.items():
            if before.get(number, ["", "", "", ""])[3] != status:
                self._close(entry, kind, engine, status, params.get(number))

    def _close(self, entry: str, kind: str, engine: str, status: str, params: int | None) -> None:
        ended = (kind, status)
        if ended == (EXTRACT, FINISHED):
            self._event(entry, "analysed", media=self._media(entry))
        elif ended == (EXTRACT, FAILED):
            self._event(entry, "analysis_failed")
        elif ended == (IMPORT, FINISHED):
            self._event(entry, "imported", size=self._size(entry, original=True))
        elif ended == (IMPORT, FAILED):
            self._event(entry, "import_failed", reason="import failed")
        elif params is None:
            return
        elif ended == (CONVERT, FINISHED):
            self._event(entry, "converted", flavorParamsId=params, size=self._size(entry, original=False))
        elif ended == (CONVERT, FAILED) and engine == LAST_ENGINE:
            self._event(entry, "failed", flavorParamsId=params)
        elif ended == (POST_CONVERT, FINISHED):
            self._event(entry, "ready", flavorParamsId=params, media=self._media(entry))

    def _renditions(self, entry: str) -> list[int]:
        """Return the flavor params the real server converted an entry into, in order."""
        found = {
            flavor["flavorParamsId"]
            for flavor in self._flavors(entry)
            if not flavor["isOriginal"] and flavor["status"] != 4
        }
        return sorted(found)

    def _flavors(self, entry: str) -> list[dict[str, Any]]:
        return [
            found
            for step in self._steps
            for found in objects_in(step.reply)
            if found.get("objectType") == "KalturaFlavorAsset" and found.get("entryId") == entry
        ]

    def _media(self, entry: str) -> dict[str, Any]:
        """Return what the stand-in said was in the file: read from the flavors and the entry afterwards."""
        media = {}
        for flavor in self._flavors(entry):
            if flavor.get("width"):
                media = {ours: flavor[theirs] for theirs, ours in _MEDIA.items()}
        for step in self._steps:
            for found in objects_in(step.reply):
                if found.get("id") == entry and found.get("msDuration"):
                    media["duration"] = found["msDuration"]
        return media

    def _size(self, entry: str, *, original: bool) -> int:
        for flavor in self._flavors(entry):
            if flavor["isOriginal"] is original and int(flavor.get("sizeInBytes") or 0):
                return int(flavor["sizeInBytes"])
        return 40000

    def _edit(self, step: Step, entry: str) -> None:
        """Repeat an edit of the real server's tables: the status and duration of an entry, its source probed."""
        reply = step.reply
        changes = {name: reply[name] for name in ("status", "duration", "msDuration") if name in reply}
        self._control("PATCH", f"entries/{self._ids.actual(entry)}", changes)
        shown = self._control("GET", f"entries/{self._ids.actual(entry)}", None)
        for flavor, mine in zip(self._flavors(entry)[:1], shown.get("flavors", []), strict=False):
            self._control("PATCH", f"assets/{mine['id']}", {name: flavor[name] for name in _PROBED if name in flavor})

    def _bulk(self, reply: dict[str, Any]) -> None:
        number = self._ids.number("bulkupload", "id", str(reply["id"]))
        changes = {name: reply[name] for name in ("status", "error") if name in reply}
        self._control("PATCH", f"bulkUploads/{number}", changes)

    def _event(self, entry: str, name: str, **details: Any) -> None:
        self._control("POST", "jobs", {"entryId": self._ids.actual(entry), "event": name, **details})

    def _control(self, method: str, path: str, body: Any) -> Any:
        request = {"method": method, "path": f"/_sandbox/{path}", "encoding": "json", "json": body}
        reply = send(self._base_url, request, {}, {})
        # A refused event shows by itself: the steps that follow differ.
        return reply.json() if reply.status == HTTPStatus.OK else {}
