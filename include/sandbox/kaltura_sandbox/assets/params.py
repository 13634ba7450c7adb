"""Flavor params and conversion profiles that every account starts with."""

from __future__ import annotations

from typing import Any

from kaltura_sandbox.api.types import ANY, BOOL, INT, STRING, TIME, Access, EnumType, ObjectType, prop

__all__ = [
    "AUDIO_PARAMS", "CONVERSION_PROFILE", "DEFAULT_PROFILE", "FLAVOR_PARAMS", "SOURCE_ONLY_PROFILE",
    "default_profiles", "rendition_ids", "shown_params",
]  # fmt: skip

DEFAULT_PROFILE, SOURCE_ONLY_PROFILE = 15, 12
# What an entry without picture is rendered into.
AUDIO_PARAMS = 11

_RO = Access.READ_ONLY
_ALL = "mobile,web,mbr,iphone,iphonenew,ipad,ipadnew,dash"
_TABLETS = "mobile,web,mbr,ipad,ipadnew,iphone,iphonenew,dash"

# id, name, tags, height, video kbit/s, audio kbit/s, video codec, container
_TABLE: tuple[tuple[int, str, str, int, int, int, str, str], ...] = (
    (0, "Source", "source", 0, 0, 0, "", ""),
    (1, "Mobile (3GP)", "mobile,mpeg4", 0, 300, 64, "mpeg4", "3gp"),
    (2, "Basic/Small - WEB/MBL (H264/400)", _ALL, 360, 400, 64, "h264b", "mp4"),
    (3, "Basic/Small - WEB/MBL (H264/600)", _ALL, 480, 600, 64, "h264b", "mp4"),
    (4, "SD/Small - WEB/MBL (H264/900)", _TABLETS, 540, 900, 64, "h264m", "mp4"),
    (5, "SD/Large - WEB/MBL (H264/1500)", _TABLETS, 720, 1500, 128, "h264m", "mp4"),
    (6, "HD/720 - WEB (H264/2500)", "web,mbr,dash", 720, 2500, 128, "h264h", "mp4"),
    (7, "HD/1080 - WEB (H264/4000)", "web,mbr,dash", 1080, 4000, 128, "h264h", "mp4"),
    (8, "WebM", "html5,webm", 360, 750, 96, "vp8", "webm"),
    (11, "English Audio (Multi-Audio Streaming) 64 Kbps", f"{_ALL},audio_only,alt_audio", 0, 0, 64, "", "mp4"),
)


def _row(row: tuple[int, str, str, int, int, int, str, str]) -> dict[str, Any]:
    number, name, tags, height, video, audio, codec, container = row
    audio_codec = "" if number == 0 else "vorbis" if container == "webm" else "aac"
    return {
        "id": number,
        "partnerId": 0,
        "name": name,
        "systemName": name.replace(" (", "(") if number == 1 else name,
        "description": name,
        "isSystemDefault": 1,
        "tags": tags,
        "requiredPermissions": [],
        "videoCodec": codec,
        "videoBitrate": video,
        "audioCodec": audio_codec,
        "audioBitrate": audio,
        "audioChannels": 2 if 1 < number else 0,
        "audioSampleRate": 44100 if 1 < number else 0,
        "width": 320 if number == 1 else 0,
        "height": height,
        "frameRate": 0,
        "gopSize": 0,
        "conversionEngines": "2,99" if number else "",
        "conversionEnginesExtraParams": "",
        "twoPass": False,
        "deinterlice": 0,
        "rotate": 0,
        "format": container,
    }


FLAVOR_PARAMS: dict[int, dict[str, Any]] = {row[0]: _row(row) for row in _TABLE}

_CONSTANT: dict[str, Any] = {
    "sourceRemoteStorageProfileId": 0,
    "mediaParserType": 0,
    "aspectRatioProcessingMode": 0,
    "forceFrameToMultiplication16": 1,
    "isGopInSec": 0,
    "isAvoidVideoShrinkFramesizeToSource": 0,
    "isAvoidVideoShrinkBitrateToSource": 0,
    "isVideoFrameRateForLowBrAppleHls": 0,
    "anamorphicPixels": 0,
    "isAvoidForcedKeyFrames": 0,
    "forcedKeyFramesMode": 1,
    "isCropIMX": 1,
    "optimizationPolicy": 4,
    "maxFrameRate": 0,
    "videoConstantBitrate": 0,
    "videoBitrateTolerance": 0,
    "isEncrypted": 0,
    "contentAwareness": 0.5,
    "chunkedEncodeMode": 0,
    "audioLanguages": [],
}


def shown_params(number: int, created: int) -> dict[str, Any]:
    """A ``KalturaFlavorParams`` object."""
    shown = FLAVOR_PARAMS[number] | {"createdAt": created} | _CONSTANT
    if number:
        # Stored as text by the installation, and shown so.
        shown |= {"aspectRatioProcessingMode": "0", "forceFrameToMultiplication16": "0", "isGopInSec": "0"}
        shown["engineVersion"] = 0
    return shown | {"objectType": "KalturaFlavorParams"}


_STATUS = EnumType("KalturaConversionProfileStatus", ["1", "2", "3"], as_text=True)
_TYPE = EnumType("KalturaConversionProfileType", ["1", "2"], as_text=True)

CONVERSION_PROFILE = ObjectType(
    "KalturaConversionProfile",
    prop("id", INT, _RO),
    prop("partnerId", INT, _RO),
    prop("status", _STATUS),
    prop("type", _TYPE, Access.INSERT_ONLY),
    prop("name"),
    prop("systemName"),
    prop("tags"),
    prop("description"),
    prop("defaultEntryId"),
    prop("createdAt", TIME, _RO),
    prop("flavorParamsIds"),
    prop("isDefault", BOOL, _RO),
    prop("isPartnerDefault", ANY, _RO),
    prop("cropDimensions", ANY),
    prop("clipStart", INT),
    prop("clipDuration", INT),
    prop("xslTransformation"),
    prop("storageProfileId", INT),
    prop("mediaParserType", STRING),
    prop("calculateComplexity", INT),
    prop("collectionTags"),
    prop("conditionalProfiles"),
    prop("detectGOP", INT),
)


def default_profiles(partner_id: int, now: int) -> list[dict[str, Any]]:
    """The account's profiles: the default one, and one that keeps only the source."""
    common = {
        "partnerId": partner_id,
        "status": "2",
        "type": "1",
        "tags": "",
        "createdAt": now,
        "clipStart": 0,
        "clipDuration": 0,
    }
    return [
        common
        | {
            "id": DEFAULT_PROFILE,
            "name": "Default",
            "systemName": "Default",
            "description": "The default set of flavors. If not specified otherwise all media uploaded "
            "will be converted based on the definition in this profile",
            "flavorParamsIds": "0,2,3,4,5,6,7",
            "isDefault": True,
            "isPartnerDefault": True,
        },
        common
        | {
            "id": SOURCE_ONLY_PROFILE,
            "name": "Source Only",
            "systemName": "Source_Only",
            "description": "Source Only",
            "flavorParamsIds": "0",
            "isDefault": False,
        },
    ]


def rendition_ids(profile: dict[str, Any] | None, most: int) -> list[int]:
    """The flavor params a profile converts into, without the source; ``most`` bounds the work done."""
    numbers = [int(text) for text in (profile or {}).get("flavorParamsIds", "").split(",") if text]
    return [number for number in numbers if number and number in FLAVOR_PARAMS][:most]
