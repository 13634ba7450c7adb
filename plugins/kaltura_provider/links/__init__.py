"""Buttons in Airflow's UI that open Kaltura."""
