"""Waiting for Kaltura: conditions without I/O, and one poll that serves many waits. Does not import Airflow."""
