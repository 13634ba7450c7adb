"""Delivery URLs, which need no API call: manifests, thumbnails, raw files and downloads below ``/p/``."""
