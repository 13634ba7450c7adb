"""A customer's bulk upload XML, unchanged: entries, captions, thumbnails and attachments, each once."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.integration.dags.test_feed_sources import digest
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
