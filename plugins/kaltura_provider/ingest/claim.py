"""The claim: who may make or change the entry of an item, and who waits.

The claim is an upload token. A process that finds no other claim after adding its own holds it. Deleting a token is the
fence: every late request that uses it fails.

A token that becomes the content of the entry is named after this content. So two versions of a source can be claimed
at the same moment; then both may make an entry, and before it gets content, one gives way. Otherwise the claim stays
empty and is named after the item alone, so that only one version is claimed at a time. An entry that is made of a full
file needs that, because it has its content at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaltura_provider.api.enums import UploadTokenStatus
from kaltura_provider.api.errors import KalturaAPIError, KalturaTransportError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kaltura_provider.api.errors import KalturaError
    from kaltura_provider.ingest.item import SourceItem
    from kaltura_provider.ingest.ledger import Ledger, TokenView
    from kaltura_provider.ingest.settings import IngestSettings

__all__ = ["Backoff", "Claim"]


class Claim:
    """The claim of this process on one item or its content.

    :param backoff: records how long to wait for another process.
    :param known: the token of an earlier attempt of this very task.
    :param importing: Kaltura fetches the content.
    :param on_token: called with the id of each token that is added.
    """

    def __init__(
        self,
        item: SourceItem,
        ledger: Ledger,
        settings: IngestSettings,
        backoff: Backoff,
        *,
        known: str | None,
        importing: bool,
        on_token: Callable[[str], None],
    ) -> None:
        self._item, self._ledger, self._settings = item, ledger, settings
        self._backoff, self._on_token = backoff, on_token
        self._own = {known} if known else set()
        # May be fenced at once: no request with it can still be running, or if one is, it fails then. A fetch and an
        # entry made of a full token do not fail: what an earlier attempt began is seen only after a time.
        self._fenceable = set(self._own) if item.attaches_first and not importing else set()
        self._added: set[str] = set()
        self._token: str | None = None
        self.since = 0.0

    @property
    def in_time(self) -> bool:
        """Whether the claim is so young that others do not take it for abandoned while the next calls are made."""
        return self._settings.clock.monotonic() - self.since <= self._settings.grace / 2

    @property
    def token_id(self) -> str:
        """The token that holds the claim; empty if it is not held."""
        return self._token or ""

    def is_own(self, token_id: str) -> bool:
        """Whether a token comes from an earlier attempt of this very task."""
        return token_id in self._own

    def tokens(self) -> tuple[list[TokenView], float]:
        """Return the tokens that claim the item or carry this content, and the server's time."""
        return self._ledger.tokens_of([self._item.token_name, self._item.claim_name])

    def is_free(self, tokens: Sequence[TokenView], now: float) -> bool:
        """Return whether no other process holds the claim. Claims of others that may be fenced are deleted."""
        rivals = [token for token in tokens if not token.attached and not token.spent]
        for token in rivals:
            if token.id in self._fenceable or now - token.created_at >= self._settings.grace:
                self._ledger.delete_token(token.id)
            else:
                self._backoff.wait(self._settings.poll)
        return not rivals

    def take(self, *, carries_content: bool) -> float | None:
        """Add the claim, and return the server's time; ``None`` if another process claims at the same moment.

        :param carries_content: the token will become the content of the entry.
        """
        self.since = self._settings.clock.monotonic()
        name = self._item.token_name if carries_content else self._item.claim_name
        mine = self._ledger.add_token(name, self._item.size)
        self._token = mine.id
        self._took(mine.id)
        tokens, now = self.tokens()
        if any(token.id != mine.id and not token.spent for token in tokens):
            self.let_go()
            self._backoff.step_aside()
            return None
        return now

    def hand_over(self) -> None:
        """Leave the token of the claim to the entry that it was attached to."""
        self._token = None

    def let_go(self) -> None:
        """Delete the claim. If that fails, the claim grows old and the next process fences it."""
        token_id, self._token = self._token, None
        if token_id is not None:
            try:
                self._ledger.delete_token(token_id)
            except (KalturaAPIError, KalturaTransportError):
                self._fenceable.add(token_id)  # it held nothing that is under way

    def file_token(self) -> TokenView:
        """Return the token that carries the bytes of an entry that is made after the upload."""
        name = self._item.file_token_name
        tokens, _ = self._ledger.tokens(name)
        usable = [token for token in tokens if token.open or (token.filled and not token.spent)]
        full = [token for token in usable if token.filled and token.uploaded == self._item.size]
        if full or usable:
            return (full or usable)[0]
        token = self._ledger.add_token(name, self._item.size)
        self._took(token.id)
        return token

    def another_is_about_to_send(self, token: TokenView, now: float) -> bool:
        """Return whether another process has just attached this token and is about to send to it."""
        young = now - token.updated_at < self._settings.grace
        return young and token.id not in self._own and self.may_be_begun_late(token)

    def may_be_begun_late(self, token: TokenView) -> bool:
        """Return whether a first chunk of another process, or of an earlier attempt, may still be on its way.

        It would cut off what this process uploads. A new token fences it.
        """
        return token.status == UploadTokenStatus.PENDING and token.id not in self._added

    def _took(self, token_id: str) -> None:
        self._added.add(token_id)
        self._on_token(token_id)


class Backoff:
    """Decides when the next step is due, and when the time for an item is over."""

    def __init__(self, settings: IngestSettings) -> None:
        self._settings, self._clock = settings, settings.clock
        self._deadline = self._clock.monotonic() + settings.claim_timeout
        self._trouble = 0
        self._met = 0
        self.not_before = 0.0

    @property
    def over(self) -> bool:
        """Whether the time for this item is used up."""
        return self._clock.monotonic() >= self._deadline

    def wait(self, seconds: float) -> None:
        """Make the next step due in ``seconds``."""
        self.not_before = self._clock.monotonic() + seconds

    def step_aside(self) -> None:
        """Wait for a random time because two claims collided: longer each time, up to half of ``grace``."""
        longest = min(self._settings.backoff * 2.0**self._met, max(self._settings.backoff, self._settings.grace / 2))
        self._met += 1
        self.wait(self._clock.uniform(0.1, 1.0) * longest)

    def worked(self) -> None:
        """Record that a step succeeded, so earlier server errors no longer count."""
        self._trouble = 0

    def bear(self, error: KalturaError) -> bool:
        """Record a server error. Return whether to take another step, which then waits."""
        self._trouble += 1
        if self._trouble >= self._settings.attempts or self.over:
            return False
        self.wait(self._settings.poll if error.ambiguous else self._settings.backoff)
        return True
