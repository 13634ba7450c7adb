"""Everything beside an entry's content, and how it is delivered."""

from airflow.sdk import DAG

from kaltura_provider.operators.attachments import (
    KalturaAddAttachmentOperator,
    KalturaDeleteAttachmentOperator,
    KalturaGetAttachmentOperator,
    KalturaGetAttachmentUrlOperator,
    KalturaListAttachmentsOperator,
)
from kaltura_provider.operators.call import KalturaCallOperator
from kaltura_provider.operators.captions import (
    KalturaAddCaptionOperator,
    KalturaDeleteCaptionOperator,
    KalturaGetCaptionOperator,
    KalturaGetCaptionUrlOperator,
    KalturaListCaptionsOperator,
    KalturaSetDefaultCaptionOperator,
)
from kaltura_provider.operators.delivery import KalturaCheckDeliveryOperator
from kaltura_provider.operators.flavors import (
    KalturaGetFlavorOperator,
    KalturaGetFlavorUrlOperator,
    KalturaListFlavorsOperator,
)
from kaltura_provider.operators.thumbnails import (
    KalturaAddThumbnailOperator,
    KalturaDeleteThumbnailOperator,
    KalturaGetThumbnailOperator,
    KalturaGetThumbnailUrlOperator,
    KalturaListThumbnailsOperator,
    KalturaSetDefaultThumbnailOperator,
)

ENTRY = "{{ params.entry }}"

with DAG("sidecars", schedule=None, params={"entry": "", "folder": "", "cdn": "", "pid": 0}) as dag:
    english = KalturaAddCaptionOperator(task_id="english", entry_id=ENTRY, source="{{ params.folder }}/talk.en.srt")
    german = KalturaAddCaptionOperator(
        task_id="german", entry_id=ENTRY, text="WEBVTT\n\n00:00.000 --> 00:01.000\nHallo\n", file_name="talk.de.vtt"
    )
    first = KalturaSetDefaultCaptionOperator(task_id="first", asset_id=english.output)
    captions = KalturaListCaptionsOperator(task_id="captions", entry_id=ENTRY)
    caption_url = KalturaGetCaptionUrlOperator(task_id="caption_url", asset_id=english.output)
    caption = KalturaGetCaptionOperator(task_id="caption", asset_id=english.output)
    no_german = KalturaDeleteCaptionOperator(task_id="no_german", asset_id=german.output)

    still = KalturaAddThumbnailOperator(task_id="still", entry_id=ENTRY, second=1, width=160, default=True)
    picture = KalturaAddThumbnailOperator(task_id="picture", entry_id=ENTRY, source="{{ params.folder }}/cover.png")
    cover = KalturaSetDefaultThumbnailOperator(task_id="cover", asset_id=picture.output)
    thumbnails = KalturaListThumbnailsOperator(task_id="thumbnails", entry_id=ENTRY)
    thumbnail_url = KalturaGetThumbnailUrlOperator(task_id="thumbnail_url", asset_id=picture.output)
    thumbnail = KalturaGetThumbnailOperator(task_id="thumbnail", asset_id=picture.output)
    no_still = KalturaDeleteThumbnailOperator(task_id="no_still", asset_id=still.output)

    notes = KalturaAddAttachmentOperator(
        task_id="notes", entry_id=ENTRY, text="# Notes", file_name="notes.md", title="Notes"
    )
    attachments = KalturaListAttachmentsOperator(task_id="attachments", entry_id=ENTRY)
    notes_url = KalturaGetAttachmentUrlOperator(task_id="notes_url", asset_id=notes.output)
    attachment = KalturaGetAttachmentOperator(task_id="attachment", asset_id=notes.output)
    no_notes = KalturaDeleteAttachmentOperator(task_id="no_notes", asset_id=notes.output)

    flavors = KalturaListFlavorsOperator(task_id="flavors", entry_id=ENTRY, statuses=["ready"])
    table = KalturaListFlavorsOperator(task_id="table", entry_id=ENTRY, output_uri="{{ params.folder }}/flavors.csv")
    best = KalturaGetFlavorUrlOperator(task_id="best", entry_id=ENTRY)
    flavor = KalturaGetFlavorOperator(task_id="flavor", asset_id=best.output)
    source = KalturaGetFlavorUrlOperator(task_id="source", entry_id=ENTRY, flavor="source")

    hls = KalturaCheckDeliveryOperator(task_id="hls", entry_id=ENTRY)
    shown = KalturaCheckDeliveryOperator(
        task_id="shown", entry_id=ENTRY, what="thumbnail", options={"width": 80, "height": 45, "type": 5}
    )
    page = KalturaCallOperator(
        task_id="page",
        service="baseEntry",
        action="update",
        parameters={
            "entryId": ENTRY,
            "baseEntry": {
                "objectType": "KalturaBaseEntry",
                "description": "{{ macros.kaltura.play_manifest_url(params.cdn, params.pid, params.entry) }}",
            },
        },
        result_path="description",
        repeatable=True,
    )
    english >> german >> first >> captions >> caption_url >> no_german
    still >> picture >> cover >> thumbnails >> thumbnail_url >> no_still
    notes >> attachments >> notes_url >> no_notes
