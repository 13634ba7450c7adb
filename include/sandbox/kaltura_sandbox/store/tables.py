"""The tables of the sandbox: the kinds of records and the columns they can be queried by."""

from __future__ import annotations

from kaltura_sandbox.store.database import Database, Table

__all__ = ["Tables"]


class Tables:
    """One attribute per kind of record; times are unix seconds, ids Kaltura's."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.entries = Table(
            database,
            "entries",
            {"reference": "referenceId", "status": "status"},
            ["reference", "status"],
        )
        self.tokens = Table(
            database,
            "upload_tokens",
            {
                "user": "userId",
                "status": "status",
                "name": "_name_key",
                "size": "fileSize",
                "created": "createdAt",
                "updated": "updatedAt",
                "attached": "attachedObjectId",
            },
            ["created", "name", "attached"],
        )
        # Every asset (flavor, thumbnail, caption, attachment) lives in one table, as ids are unique over all kinds.
        self.assets = Table(
            database,
            "assets",
            {"entry": "entryId", "kind": "_kind", "status": "status", "params": "flavorParamsId"},
            ["entry, kind"],
        )
        self.jobs = Table(
            database, "jobs", {"status": "status", "due": "due", "entry": "entryId"}, ["status, due", "entry"]
        )
        self.profiles = Table(database, "conversion_profiles")
        self.storage_profiles = Table(database, "storage_profiles")
        self.notification_templates = Table(
            database, "notification_templates", {"status": "status", "object_type": "eventObjectType"}
        )
        self.metadata_profiles = Table(database, "metadata_profiles")
        self.categories = Table(database, "categories", {"parent": "parentId", "full_name": "fullName"}, ["full_name"])
        self.category_entries = Table(
            database, "category_entries", {"category": "categoryId", "entry": "entryId"}, ["entry", "category"]
        )
        self.app_tokens = Table(database, "app_tokens", {"status": "status", "created": "createdAt"})
        self.bulk_uploads = Table(database, "bulk_uploads", {"status": "status", "created": "uploadedOn"})
        self.metadata = Table(database, "metadata", {"object": "objectId"}, ["object"])
        self.users = Table(database, "users")
        self.revoked = Table(database, "revoked_sessions")
        self.moderation_flags = Table(database, "moderation_flags", {"entry": "flaggedEntryId"})
