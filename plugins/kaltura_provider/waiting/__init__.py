"""Waiting for Kaltura: pure conditions, and one poll that serves many waits. Imports no Airflow."""
