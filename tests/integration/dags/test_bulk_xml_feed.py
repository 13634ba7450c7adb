"""A customer's bulk upload XML, unchanged: entries, captions, thumbnails and attachments, each once."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest

from tests.integration.dags.file_server import digest
from tests.integration.dags.test_rss_feed import CAPTION, PICTURE, assets

AFTER = datetime(2024, 3, 2, tzinfo=UTC)
XML = """<?xml version="1.0"?>
<mrss xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="ingestion.xsd" version="1.0">
<channel>
<item>
  <action>add</action><type>1</type><referenceId>show-1</referenceId><name>Opening</name>
  <tags><tag>season</tag></tags><partnerSortData>7</partnerSortData>
  <media><mediaType>1</mediaType></media>
  <contentAssets><content><dropFolderFileContentResource filePath="opening.mp4"/></content></contentAssets>
  <thumbnails><thumbnail isDefault="true"><dropFolderFileContentResource filePath="t.png"/></thumbnail></thumbnails>
  <subTitles><subTitle isDefault="true" format="3" lang="Hebrew"><tags/>
    <dropFolderFileContentResource filePath="he.vtt"/></subTitle></subTitles>
  <attachments><attachment format="3"><dropFolderFileContentResource filePath="notes.pdf"/>
    <title>Notes</title></attachment></attachments>
</item>
<item>
  <type>1</type><name>Bad</name><content><entryContentResource entryId="0_x"/></content>
</item>
</channel></mrss>
"""


def test_a_file_goes_in_unchanged_and_once(deployment, clips, capsys) -> None:
    deployment.put("2024-03-01/opening.mp4", clips["clip-1.mp4"])
    deployment.put("2024-03-01/he.vtt", CAPTION)
    deployment.put("2024-03-01/t.png", PICTURE)
    deployment.put("2024-03-01/notes.pdf", b"%PDF-1.4 notes")
    uri = deployment.put("2024-03-01/list.xml", XML.encode()).replace("2024-03-01", "{{ data_interval_start | ds }}")
    dag = deployment.feed(name="customer", start_date="2024-03-01", source={"type": "manifest", "uri": uri}, retries=0)
    for new in (1, 0):
        ran = deployment.run(dag, AFTER)
        assert ran.state == "success", ran.states
        assert (ran.summary["new"], ran.summary["found"]) == (new, 1 - new)
        assert deployment.held() == {"Opening": digest(clips["clip-1.mp4"])}
        assert "line 15: <content> in line 16 has entryContentResource" in capsys.readouterr().out
        (row,) = ran.summary["assets"]
        (caption,) = assets(deployment, row["entry_id"], "caption_captionAsset")
        assert (caption["language"], caption["format"], bool(caption["isDefault"])) == ("Hebrew", "3", True)
        (notes,) = assets(deployment, row["entry_id"], "attachment_attachmentAsset")
        assert (notes["filename"], notes["title"]) == ("notes.pdf", "Notes")
        ours = [one for one in assets(deployment, row["entry_id"], "thumbAsset") if one.get("partnerDescription")]
        assert len(ours) == 1


@pytest.mark.parametrize("transfer", ["import", "bulk"])
def test_a_file_with_a_checksum_is_compared_whoever_fetches_the_others(deployment, clips, transfer: str) -> None:
    """Kaltura cannot compare checksums, so a worker sends the files that have one."""
    items = []
    for name, checksum in (("good", hashlib.sha1(clips["clip-1.mp4"]).hexdigest()), ("bad", "0" * 40), ("plain", "")):
        deployment.put(f"{name}.mp4", clips[f"clip-{len(items) + 1}.mp4"])
        said = f'<fileChecksum type="sha1">{checksum}</fileChecksum>' if checksum else ""
        items.append(
            f"<item><type>1</type><name>{name}</name><media><mediaType>1</mediaType></media><content>"
            f'<dropFolderFileContentResource filePath="{name}.mp4">{said}</dropFolderFileContentResource>'
            "</content></item>"
        )
    uri = deployment.put("list.xml", f"<mrss><channel>{''.join(items)}</channel></mrss>".encode())
    source = {"type": "manifest", "uri": uri}
    dag = deployment.feed(name="customer", start_date="2024-03-01", source=source, retries=0, transfer=transfer)
    ran = deployment.run(dag, AFTER)
    assert (ran.state, ran.summary["new"]) == ("failed", 2), ran.states
    assert "bad.mp4" in ran.reason
    assert "sha1:0000" in ran.reason
    held = {name: found for name, found in deployment.held().items() if found}
    assert held == {"good": digest(clips["clip-1.mp4"]), "plain": digest(clips["clip-3.mp4"])}
    control = deployment.sandbox.control
    from_url = {one["name"] for one in control.entries() if control.entry(one["id"])["sourceType"] == "5"}
    assert from_url == {"plain"}
