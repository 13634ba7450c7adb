"""Feeds: YAML descriptions of recurring ingests, and the DAGs they become.

``folder`` turns a folder of files into DAGs, ``schema`` says what a file may hold, and ``dag`` builds the DAG of one
feed. ``feed_plan`` says what the runs of a range of dates would bring in, and ``report`` what they have brought in.
"""
