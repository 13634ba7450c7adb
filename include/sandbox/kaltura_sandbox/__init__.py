"""A Kaltura and an S3 server on loopback, for demos, development and tests."""
