"""Feeds: YAML descriptions of recurring ingests, and the DAGs they become."""
