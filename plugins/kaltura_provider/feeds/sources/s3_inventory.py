"""``s3_inventory``: objects that an S3 Inventory lists, for buckets that are too large to list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import field_validator

from kaltura_provider.feeds.fields.types import Template, about
from kaltura_provider.feeds.sources.s3_fields import S3Fields, check_prefix
from kaltura_provider.upload.sources.s3_address import bucket_and_key

if TYPE_CHECKING:
    from kaltura_provider.feeds.sources.found import Found, Search

__all__ = ["S3Inventory"]


class S3Inventory(S3Fields):
    """The objects below an S3 prefix as an S3 Inventory lists them, for buckets that are too large to list."""

    type: Annotated[Literal["s3_inventory"], about("`s3_inventory`")]
    inventory: Annotated[
        Template,
        about(
            "Where S3 writes the inventory: `s3://bucket/prefix/source-bucket/configuration/`, of which the newest is "
            "read, or a `manifest.json`; a Jinja template"
        ),
    ]
    modified: Annotated[
        Literal["any_time", "in_interval"],
        about(
            "Whether a run takes all objects below `uri` or, with `in_interval`, those that were last modified in its "
            "interval"
        ),
    ] = "any_time"

    _check_inventory = field_validator("inventory")(check_prefix)

    @property
    def summary(self) -> str:
        """The source in one line of text."""
        return f"{self.uri} as listed in {self.inventory}"

    def find(self, search: Search) -> Found:
        """Return the objects of the inventory that a run takes.

        :raises SourceError: the inventory does not exist, cannot be read, or is damaged.
        :raises ValueError: it is not an inventory that can be read, or is one of another bucket.
        """
        from kaltura_provider.feeds.sources.s3_objects import media_of
        from kaltura_provider.hooks.inventory import find_manifest, open_inventory
        from kaltura_provider.hooks.sources import shared_s3_client

        client = shared_s3_client(search.aws_conn_id)
        inventory = open_inventory(client, find_manifest(client, self.inventory))
        bucket, prefix = bucket_and_key(self.uri)
        if inventory.bucket != bucket:
            raise ValueError(
                f"source.inventory: {inventory.uri} lists bucket {inventory.bucket}, and source.uri is in bucket "
                f"{bucket}; give the inventory of that bucket"
            )
        window = search.window if self.modified == "in_interval" else None
        if window and not inventory.dated:
            raise ValueError(
                f"source.modified: in_interval needs dates, and the inventory {inventory.uri} does not list the field "
                "Last modified date; add it to the inventory's configuration"
            )
        objects = inventory.objects(prefix, window)
        found = media_of(self.selecting.groups(objects, self.uri), self.uri, self.selecting, search)
        found.place = f"below {self.uri}, in the inventory of {inventory.created:%Y-%m-%d %H:%M} UTC"
        return found
