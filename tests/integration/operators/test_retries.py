"""What a task's next try finds: content it gave already, tokens that are used up, replies that were lost."""

from __future__ import annotations

import pytest
from airflow.sdk.exceptions import AirflowFailException

from kaltura_provider.operators.add_from import KalturaAddFromUploadedFileOperator
from kaltura_provider.operators.attach import KalturaAttachOperator
from kaltura_provider.operators.attachments import KalturaAddAttachmentOperator, KalturaListAttachmentsOperator
from kaltura_provider.operators.captions import KalturaAddCaptionOperator, KalturaListCaptionsOperator
from kaltura_provider.operators.content import (
    KalturaAddContentOperator,
    KalturaApproveReplacementOperator,
    KalturaCancelReplacementOperator,
    KalturaUpdateContentOperator,
)
from kaltura_provider.operators.entries import KalturaAddEntryOperator
from kaltura_provider.operators.thumbnails import KalturaAddThumbnailOperator, KalturaListThumbnailsOperator
from kaltura_provider.operators.upload import KalturaUploadOperator
from kaltura_provider.operators.upload_tokens import KalturaAddUploadTokenOperator

SRT = "1\n00:00:00,000 --> 00:00:01,000\nHello\n"
URL = "https://cdn.example.com/a.mp4?X-Amz-Signature={}"


def test_a_token_of_another_entry_is_no_success(kaltura, film, clip, tmp_path) -> None:
    other = tmp_path / "other.mp4"
    other.write_bytes(clip.read_bytes() + b"\x00\x00\x00\x08free")
    used = kaltura.run(KalturaUploadOperator, source=str(other))
    mine = kaltura.run(KalturaAttachOperator, token_id=used, metadata={"name": "Mine"})
    again = kaltura.run(KalturaAttachOperator, token_id=used, entry_id=mine)
    assert again["entry_id"] == mine["entry_id"]
    with pytest.raises(AirflowFailException, match="already has other content"):
        kaltura.run(KalturaAttachOperator, token_id=used, entry_id=film)
    pending = kaltura.run(KalturaAddUploadTokenOperator, file_name="later.mp4")
    waiting = kaltura.run(KalturaAttachOperator, token_id=pending, metadata={"name": "Waiting"})
    assert kaltura.run(KalturaAttachOperator, token_id=pending, entry_id=waiting["entry_id"])["status"] == "import"
    with pytest.raises(AirflowFailException, match="already has other content"):
        kaltura.run(KalturaAttachOperator, token_id=pending, entry_id=film)


def test_a_used_token_replaces_nothing(kaltura, film, clip) -> None:
    used = kaltura.run(KalturaUploadOperator, source=str(clip))
    kaltura.run(KalturaAttachOperator, token_id=used, metadata={"name": "Other"})
    small = kaltura.run(KalturaAddUploadTokenOperator, file_name="small.srt")
    kaltura.run(KalturaAddCaptionOperator, entry_id=film, token_id=small, language="en", format="srt")
    with pytest.raises(AirflowFailException, match="belongs to CaptionAsset"):
        kaltura.run(KalturaUpdateContentOperator, entry_id=film, token_id=small)
    entry = kaltura.hook.call("baseEntry", "get", entryId=film)
    assert (entry["status"], entry.get("replacingEntryId")) == (2, None)


@pytest.mark.parametrize("full", [True, False], ids=["full", "pending"])
def test_a_token_fills_one_asset_however_often_it_is_tried(kaltura, film, tmp_path, full) -> None:
    captions = tmp_path / "talk.en.srt"
    captions.write_text(SRT)

    def token():
        if full:
            return kaltura.run(KalturaUploadOperator, source=str(captions))
        return kaltura.run(KalturaAddUploadTokenOperator, file_name="talk.en.srt")

    kinds = [
        (KalturaAddCaptionOperator, KalturaListCaptionsOperator, {"file_name": "talk.en.srt"}),
        (KalturaAddAttachmentOperator, KalturaListAttachmentsOperator, {"file_name": "talk.txt"}),
        (KalturaAddThumbnailOperator, KalturaListThumbnailsOperator, {}),
    ]
    for add, listing, arguments in kinds:
        given = token()
        before = kaltura.run(listing, entry_id=film)
        first = kaltura.run(add, entry_id=film, token_id=given, **arguments)
        again = kaltura.run(add, entry_id=film, token_id=given, **arguments)
        after = kaltura.run(listing, entry_id=film)
        assert first["asset_id"] == again["asset_id"]
        assert len(after) == len(before) + 1
        assert {a["status"] for a in after if a["asset_id"] == first["asset_id"]} == {"ready" if full else "importing"}
        with pytest.raises(AirflowFailException, match="is used up" if full else "belongs to"):
            kaltura.run(KalturaAddAttachmentOperator, entry_id=film, token_id=given, file_name=f"{add.__name__}.txt")


def test_two_tokens_are_two_thumbnails(kaltura, film, clip) -> None:
    for _ in range(2):
        token = kaltura.run(KalturaAddUploadTokenOperator, file_name="a.png")
        kaltura.run(KalturaAddThumbnailOperator, entry_id=film, token_id=token["token_id"])
    waiting = [
        asset for asset in kaltura.run(KalturaListThumbnailsOperator, entry_id=film) if asset["status"] == "importing"
    ]
    assert len(waiting) == 2


def test_captions_in_another_format_are_others_and_attachments_change(kaltura, film) -> None:
    for name in ("talk.en.srt", "talk.en.vtt"):
        kaltura.run(KalturaAddCaptionOperator, entry_id=film, text=SRT, file_name=name)
    formats = [asset["format"] for asset in kaltura.run(KalturaListCaptionsOperator, entry_id=film)]
    assert sorted(formats) == ["srt", "webvtt"]
    for title in ("One", "Two"):
        kaltura.run(KalturaAddAttachmentOperator, entry_id=film, text="x", file_name="n.txt", title=title)
    (only,) = kaltura.run(KalturaListAttachmentsOperator, entry_id=film)
    assert only["title"] == "Two"


def test_a_default_caption_is_the_only_default(kaltura, film) -> None:
    for name in ("talk.en.srt", "talk.de.srt"):
        kaltura.run(KalturaAddCaptionOperator, entry_id=film, text=SRT, file_name=name, default=True)
    found = kaltura.run(KalturaListCaptionsOperator, entry_id=film)
    assert {asset["language"]: bool(asset["is_default"]) for asset in found} == {"English": False, "German": True}


def test_a_second_try_finds_the_import_that_the_first_began(kaltura, store) -> None:
    entry_id = kaltura.entry()
    first = kaltura.run(KalturaAddContentOperator, store=store, entry_id=entry_id, url=URL.format("first"))
    again = kaltura.run(KalturaAddContentOperator, store=store, entry_id=entry_id, url=URL.format("second"))
    assert first == again == {"entry_id": entry_id, "status": "import", "status_number": 0}
    assert [call.lower() for call in kaltura.calls].count("media.addcontent") == 1
    with pytest.raises(AirflowFailException, match="already has content"):
        kaltura.run(KalturaAddContentOperator, store=store, entry_id=entry_id, url="https://cdn.example.com/b.mp4")


def test_a_second_try_finds_the_replacement_that_the_first_began(kaltura, store, film) -> None:
    first = kaltura.run(KalturaUpdateContentOperator, store=store, entry_id=film, url=URL.format("first"))
    again = kaltura.run(KalturaUpdateContentOperator, store=store, entry_id=film, url=URL.format("second"))
    assert first["replacing_entry_id"] == again["replacing_entry_id"]
    with pytest.raises(AirflowFailException, match="is already being replaced"):
        kaltura.run(KalturaUpdateContentOperator, store=store, entry_id=film, url="https://cdn.example.com/b.mp4")


def test_a_document_s_replacement_is_cancelled_and_approved_by_its_own_service(kaltura, tmp_path) -> None:
    pdf = tmp_path / "a.pdf"
    pdf.write_bytes(b"%PDF-1.4\n%%EOF\n")
    token = kaltura.run(KalturaUploadOperator, source=str(pdf))
    document = kaltura.run(KalturaAddFromUploadedFileOperator, token_id=token)["entry_id"]
    kaltura.sandbox.control.wait_idle()
    assert kaltura.run(KalturaCancelReplacementOperator, entry_id=document)["entry_id"] == document
    with pytest.raises(AirflowFailException, match="there is nothing to approve"):
        kaltura.run(KalturaApproveReplacementOperator, entry_id=document)
    assert "document_documents.cancelreplace" in [call.lower() for call in kaltura.calls]


def test_content_that_an_entry_cannot_take_is_refused_before_it_breaks_the_entry(kaltura) -> None:
    media = kaltura.entry()
    with pytest.raises(AirflowFailException, match="text can only be content of a data entry"):
        kaltura.run(KalturaAddContentOperator, entry_id=media, text="hello")
    assert kaltura.hook.call("media", "get", entryId=media)["status"] == 7
    data = kaltura.run(KalturaAddEntryOperator, metadata={"name": "D", "media_type": "data"})["entry_id"]
    pending = kaltura.run(KalturaAddUploadTokenOperator, file_name="a.json")
    with pytest.raises(AirflowFailException, match="only takes full upload tokens"):
        kaltura.run(KalturaAddContentOperator, entry_id=data, token_id=pending)
    assert kaltura.run(KalturaAddContentOperator, entry_id=data, text='{"a": 1}')["status"] == "ready"


def test_bad_arguments_of_attach_are_refused_before_any_call(kaltura) -> None:
    refused, attach = kaltura.refused, KalturaAttachOperator
    assert "token_id 'x' is not an upload token id" in refused(attach, token_id="x")
    assert "entry_id 'x' is not an entry id" in refused(attach, token_id="0_" + "0" * 32, entry_id="x")
    token = kaltura.run(KalturaAddUploadTokenOperator, file_name="a.mp4")
    with pytest.raises(AirflowFailException, match="unknown metadata titel"):
        kaltura.run(attach, token_id=token, metadata={"titel": "x"})
    with pytest.raises(AirflowFailException, match="makes media READY at once"):
        kaltura.run(attach, token_id=token, metadata={"conversion_profile_id": -1})


@pytest.mark.parametrize("text", ["{{ nothing.at.all }}", "{{ 0_ab12cd34 }", "{% if %}"])
def test_a_template_that_cannot_be_rendered_fails_at_once(text: str) -> None:
    from airflow.sdk import DAG

    from kaltura_provider.feeds.tasks.discover import KalturaDiscoverOperator
    from kaltura_provider.sensors.entry import KalturaEntryReadySensor

    with DAG("broken", schedule=None) as dag:
        KalturaAddEntryOperator(task_id="operator", metadata={"name": text})
        KalturaEntryReadySensor(task_id="sensor", entry_id=text)
        KalturaDiscoverOperator(task_id="discover", source={"type": "s3_prefix", "uri": text})
    for task in dag.tasks:
        with pytest.raises(AirflowFailException):
            task.render_template_fields({"ti": object()})  # type: ignore[typeddict-item]
