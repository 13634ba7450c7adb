"""Local files: only below the folders that are allowed, wherever links lead and whatever is changed meanwhile."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kaltura_provider.upload.sources.errors import SourceError, SourceNotFound, SourceRefused
from kaltura_provider.upload.sources.file import open_file
from kaltura_provider.upload.sources.folders import FolderPolicy, local_path

MEDIA, SECRET = b"bytes of a film", b"keys of the deployment"


@pytest.fixture
def allowed(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    (folder / "day").mkdir(parents=True)
    (folder / "day" / "clip 1.mp4").write_bytes(MEDIA)
    (tmp_path / "keys.json").write_bytes(SECRET)
    (tmp_path / "media-private").mkdir()
    (tmp_path / "media-private" / "keys.json").write_bytes(SECRET)
    return folder


def content(address: str, policy: FolderPolicy) -> bytes:
    source = open_file(address, policy)
    try:
        return b"".join(source.read(0, source.size))
    finally:
        source.close()


def test_no_file_is_allowed_unless_a_folder_is_named(allowed: Path) -> None:
    policy = FolderPolicy.allowing(["", " "], by="environment variable KALTURA_ALLOWED_PATHS")
    for address in ((allowed / "day" / "clip 1.mp4").as_uri(), str(allowed / "day" / "clip 1.mp4"), "/nowhere"):
        with pytest.raises(SourceRefused, match=r"does not allow local files.*/srv/media.*KALTURA_ALLOWED_PATHS"):
            open_file(address, policy)


def test_files_below_an_allowed_folder_are_read_by_address_and_by_path(allowed: Path) -> None:
    policy = FolderPolicy.allowing([f"{allowed}/"])
    path = allowed / "day" / "clip 1.mp4"
    for address in (
        path.as_uri(),
        str(path),
        f"file:{path}",
        f"FILE://{path}",
        f"/{path}",
        f"{allowed}/./day//clip 1.mp4",
    ):
        assert content(address, policy) == MEDIA
    with pytest.raises(SourceNotFound):
        open_file(str(allowed / "missing.mp4"), policy)
    with pytest.raises(SourceRefused, match="not a regular file"):
        open_file(str(allowed), policy)


def test_a_file_elsewhere_is_refused_whether_it_exists_or_not(allowed: Path) -> None:
    policy = FolderPolicy.allowing([str(allowed)], by="KALTURA_ALLOWED_PATHS")
    for path in (allowed.parent / "keys.json", allowed.parent / "media-private" / "keys.json", Path("/not/there")):
        with pytest.raises(SourceRefused, match="not in the allowed folders") as caught:
            open_file(path.as_uri(), policy)
        assert str(allowed) in str(caught.value)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("file://evil{folder}/day/clip%201.mp4", "has the host 'evil'"),
        ("file://localhost{folder}/day/clip%201.mp4", "has the host 'localhost'"),
        ("file://{folder}/../keys.json", "it contains '..'"),
        ("file://{folder}/%2e%2e/keys.json", "it contains '..'"),
        ("file://{folder}%2f..%2fkeys.json", "it contains '..'"),
        ("{folder}/day/../../keys.json", "it contains '..'"),
        ("file:day/clip.mp4", "not an absolute path"),
        ("file:", "not an absolute path"),
        ("file://{folder}/a%00.mp4", "file names cannot have"),
        ("{folder}/\ud800.mp4", "file names cannot have"),
        ("file://{folder}/what?.mp4", "write ? as %3F"),
    ],
)
def test_an_address_that_means_no_file_of_this_machine_is_refused(allowed: Path, address: str, words: str) -> None:
    with pytest.raises(SourceRefused) as caught:
        open_file(address.replace("{folder}", str(allowed)), FolderPolicy.allowing(["/"]))
    assert words in str(caught.value)


def test_links_are_followed_to_where_they_lead(allowed: Path) -> None:
    policy = FolderPolicy.allowing([str(allowed)])
    (allowed / "inside.mp4").symlink_to("day/clip 1.mp4")
    assert content(str(allowed / "inside.mp4"), policy) == MEDIA
    (allowed / "outside.mp4").symlink_to(allowed.parent / "keys.json")
    (allowed / "folder").symlink_to(allowed.parent)
    (allowed / "round").symlink_to("round")
    for name in ("outside.mp4", "folder/keys.json"):
        with pytest.raises(SourceRefused, match="a link to a file outside"):
            open_file(str(allowed / name), policy)
    with pytest.raises(SourceError):
        open_file(str(allowed / "round"), policy)


def test_an_allowed_folder_may_be_a_link_itself(allowed: Path) -> None:
    (allowed.parent / "link").symlink_to(allowed)
    policy = FolderPolicy.allowing([str(allowed.parent / "link")])
    assert content(str(allowed.parent / "link" / "day" / "clip 1.mp4"), policy) == MEDIA
    assert content(str(allowed / "day" / "clip 1.mp4"), policy) == MEDIA


@pytest.mark.parametrize("swapped", ["file", "folder"])
def test_a_link_put_there_after_the_check_is_not_followed(
    allowed: Path, monkeypatch: pytest.MonkeyPatch, swapped: str
) -> None:
    victim = allowed / "day" / "keys.json"
    victim.write_bytes(MEDIA)
    resolve = os.path.realpath

    def swap_afterwards(path: str, **options: bool) -> str:
        real = resolve(path, **options)
        if path == str(victim):
            if swapped == "file":
                victim.unlink()
                victim.symlink_to(allowed.parent / "keys.json")
            else:
                victim.parent.rename(allowed / "old")
                victim.parent.symlink_to(allowed.parent)
        return real

    monkeypatch.setattr(os.path, "realpath", swap_afterwards)
    with pytest.raises(SourceError) as caught:
        open_file(str(victim), FolderPolicy.allowing([str(allowed)]))
    assert "cannot be opened" in str(caught.value)


def test_opening_leaves_no_descriptor_behind(allowed: Path) -> None:
    policy = FolderPolicy.allowing([str(allowed)])
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        content(str(allowed / "day" / "clip 1.mp4"), policy)
        for wrong in ("day/missing.mp4", "no/such/folder.mp4", "day", "day/clip 1.mp4/x"):
            with pytest.raises(SourceError):
                open_file(str(allowed / wrong), policy)
    assert len(os.listdir("/proc/self/fd")) == before


def test_relative_folders_allow_nothing(allowed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(allowed.parent)
    with pytest.raises(SourceRefused, match="does not allow local files"):
        open_file(str(allowed / "day" / "clip 1.mp4"), FolderPolicy.allowing(["media", "./media", "~"]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.one_of(
        st.text(), st.from_regex(r"(file:/{0,4})?(/|%2[fF]|\.|%2[eE]|\.\.|media|keys\.json|day)*", fullmatch=True)
    )
)
def test_no_spelling_reads_what_is_not_allowed(allowed: Path, text: str) -> None:
    policy = FolderPolicy.allowing([str(allowed)])
    for address in (text, f"{allowed}/{text}", f"file://{allowed}/{text}"):
        try:
            found = content(address, policy)
        except SourceError:
            continue
        assert found == MEDIA
        assert local_path(address)
