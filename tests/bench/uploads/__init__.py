"""The upload engine and its peers, in one run against the same servers."""
