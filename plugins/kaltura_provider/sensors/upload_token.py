"""A sensor that waits for upload tokens to be filled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.hooks.renamed_arguments import renamed_arguments
from kaltura_provider.sensors.base import KalturaSensor
from kaltura_provider.sensors.targets import Targets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaltura_provider.triggers.upload_token import KalturaUploadTokenTrigger

__all__ = ["KalturaUploadTokenSensor"]


@renamed_arguments({"upload_token": "token_id"})
class KalturaUploadTokenSensor(KalturaSensor):
    """Wait until uploads are finished: the upload token holds the whole file, or an entry has already taken it.

    :param token_id: upload tokens: an id, the result of an operator that has one, or a list of either.
    :param grace: seconds that "no such token" must last to count as a failure.
    :return: for an id, the id; for a list of ids, ``{"ready": [id], "failed": {id: reason}}``; for the result of
        another operator, that result; for a list of these, a list.
    :raises AirflowFailException: the token was deleted or refused.
    :raises AirflowSensorTimeout: the time is up. The message says how many bytes have arrived.
    """

    template_fields: Sequence[str] = ("token_id", *KalturaSensor.template_fields)

    def __init__(self, *, token_id: Any, grace: float = 30.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.token_id = token_id
        self.grace = grace

    def subject(self) -> Targets:
        """Return the tokens."""
        return Targets(self.token_id, name="token_id", key="token_id")

    def trigger_type(self) -> type[KalturaUploadTokenTrigger]:
        """Return the trigger that waits for tokens."""
        from kaltura_provider.triggers.upload_token import KalturaUploadTokenTrigger

        return KalturaUploadTokenTrigger

    def condition(self) -> dict[str, Any]:
        """Return the arguments of ``TokenFull``."""
        return {"grace": self.grace}
