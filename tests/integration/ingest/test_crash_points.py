"""A worker dies after any call, in any state of the ledger, again and again: a run that is left alone then finishes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from kaltura_provider.api.client import KalturaClient
from kaltura_provider.api.credentials import AuthMethod, Credentials
from kaltura_provider.api.observer import CallRecord, Observer
from kaltura_provider.api.retry import RetrySettings
from kaltura_provider.ingest.item import ItemRef, ItemState
from kaltura_provider.ingest.send import ingest
from kaltura_provider.ingest.settings import IfExists, IngestSettings, Transfer
from kaltura_provider.upload.settings import Patience, UploadSettings
from kaltura_provider.upload.uploader import Uploader
from kaltura_sandbox import Sandbox
from tests.integration.ingest.conftest import Library, SandboxClock
from tests.integration.ingest.test_other_paths import finish

RUN = "nightly"
RETRY = RetrySettings(attempts=2, base=0.001, cap=0.002)
PATIENCE = Patience(
    retry=RETRY, final_timeout=2.0, final_poll=0.1, single_poll=0.1, busy_after=0.1, busy_wait=0.5, poll=0.02
)
# What the sandbox calls READY, or what converting what is no film comes to.
KINDS: tuple[tuple[str, dict[str, Any], bool], ...] = (
    ("a.mp4", {}, False),
    ("a.mp3", {}, False),
    ("a.png", {}, False),
    ("a.pdf", {}, False),
    ("a.csv", {}, False),
    ("a.mov", {"conversion_profile_id": -1}, False),
    ("a.mp4", {}, True),
)


class Died(BaseException):
    """The worker's process is gone."""


class Mortal(Observer):
    """Lets the worker die after so many calls, and do no more."""

    def __init__(self, calls: int) -> None:
        self.left = calls

    def on_call(self, call: CallRecord) -> None:
        self.left -= 1
        if self.left <= 0:
            raise Died


class Disasters(RuleBasedStateMachine):
    """One source; each example begins with an empty server."""

    sandbox: Sandbox

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.known: dict[str, str] = {}
        self.replacing = False

    @initialize(kind=st.sampled_from(KINDS))
    def begin(self, kind: tuple[str, dict[str, Any], bool]) -> None:
        name, metadata, fetched = kind
        self.sandbox.control.reset()
        client = self._client(None)
        self.library = Library(self.sandbox, client, Path(self.folder.name), self._settings(fetched))
        self.source = self.library.file(name, size=100_000)
        self.uri = f"s3://crashes/{name}"
        self.metadata, self.fetched = metadata, fetched
        self.version = "1"

    def _client(self, observer: Observer | None) -> KalturaClient:
        credentials = Credentials(
            partner_id=self.sandbox.partner_id, auth=AuthMethod.SECRET, secret=self.sandbox.admin_secret
        )
        return KalturaClient(
            self.sandbox.service_url,
            credentials,
            observer=observer,
            retry=RETRY,
            wall_clock=self.sandbox.account.clock.time,
        )

    def _settings(self, fetched: bool) -> IngestSettings:
        transfer = Transfer.IMPORT if fetched else Transfer.UPLOAD
        return IngestSettings(clock=SandboxClock(self.sandbox), backoff=0.5, transfer=transfer, run=RUN)

    def _asset(self) -> Any:
        item = self.library.item(self.source, validator=self.version, metadata=self.metadata)
        values = {name: getattr(item, name) for name in ("size", "name", "metadata")}
        url = "http://127.0.0.1:9/a.mp4" if self.fetched else None
        return type(item)(uri=self.uri, validator=self.version, import_url=url, **values)

    def _ingest(self, client: KalturaClient, observer: Observer | None = None) -> ItemRef:
        uploader = Uploader(
            client, settings=UploadSettings(chunk_size=64 * 1024, parallelism=1), observer=observer, patience=PATIENCE
        )
        chosen = self.library.settings
        if self.replacing:
            chosen = type(chosen)(
                clock=chosen.clock, backoff=chosen.backoff, run="replacing", if_exists=IfExists.REPLACE
            )  # fmt: skip

        def remember(ref: ItemRef) -> None:
            if ref.token_id:
                self.known[ref.item_id] = ref.token_id

        pairs = [(self._asset(), lambda: self.source)]
        return ingest(client, uploader, pairs, settings=chosen, known=dict(self.known), on_ref=remember)[0].ref

    @rule(calls=st.integers(1, 22), cleared=st.booleans())
    def die(self, calls: int, cleared: bool) -> None:
        """Run until the worker dies, or to the end."""
        if cleared:
            self.known.clear()
        observer = Mortal(calls)
        try:
            with self._client(observer) as client:
                self._ingest(client, observer)
        except Died:
            pass

    @rule(seconds=st.sampled_from([5, 130, 8 * 86400]))
    def wait(self, seconds: int) -> None:
        self.sandbox.control.advance_clock(seconds)

    @rule(
        kind=st.sampled_from(["error", "error_after", "reply_lost"]),
        action=st.sampled_from(["add", "addContent", "updateContent", "update", "delete", "list", "upload"]),
        calls=st.integers(1, 22),
    )
    def fail(self, kind: str, action: str, calls: int) -> None:
        """Run while a call fails, until the worker dies, or to the end."""
        self.sandbox.control.fault(kind, action=action, times=2)
        self.die(calls, cleared=False)
        self.sandbox.control.clear_faults()

    @rule()
    def lose_a_token(self) -> None:
        """Somebody deletes a token of the asset."""
        for token in self.library.tokens(self._asset())[:1]:
            self.library.client.call("uploadToken", "delete", {"uploadTokenId": token["id"]})

    @precondition(lambda self: not self.replacing and not self.fetched and self.metadata == {})
    @rule()
    def change_at_the_source(self) -> None:
        """The content is in, and the source holds another one from now on."""
        if self.source.name != "a.mp4":
            return
        self._finished()
        finish(self.library, self.library.entries(self._asset())[0]["id"])
        self.source = self.library.file("a.mp4", size=110_000, seed=2)
        self.version, self.replacing = "2", True

    @invariant()
    def no_second_entry_has_content(self) -> None:
        if hasattr(self, "uri"):
            held = [entry for entry in self.library.entries(self._asset()) if entry["status"] not in (0, 7)]
            assert len(held) <= 1, held

    def teardown(self) -> None:
        try:
            if hasattr(self, "uri"):
                self._finished()
        finally:
            self.folder.cleanup()

    def _finished(self) -> None:
        """Run undisturbed, with Kaltura doing its part, and count."""
        control, item = self.sandbox.control, self._asset()
        for _ in range(5):
            ref = self._ingest(self.library.client)
            if ref.state is ItemState.DONE:
                break
            assert ref.state in (ItemState.IMPORTING, ItemState.REPLACING), ref
            if ref.state is ItemState.IMPORTING:
                control.drive(str(ref.entry_id), "imported", size=self.source.size)
            else:
                finish(self.library, control.entry(str(ref.entry_id))["replacingEntryId"])
        assert ref.state is ItemState.DONE, ref
        assert ref.made is not self.replacing
        [entry] = self.library.entries(item)
        assert entry["id"] == ref.entry_id
        assert self.fetched or self.library.holds(entry["id"], self.source)
        full = [token for token in self.library.tokens(item) if token["status"] == 2 and not token["attachedObjectId"]]
        assert full == []


def test_every_state_that_a_dead_worker_leaves_has_a_way_forward() -> None:
    with Sandbox(run_jobs=False) as sandbox:
        Disasters.sandbox = sandbox
        run_state_machine_as_test(
            Disasters,
            settings=hypothesis_settings(max_examples=25, stateful_step_count=6, deadline=None),
        )
