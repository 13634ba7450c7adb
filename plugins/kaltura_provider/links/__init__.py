"""Buttons in Airflow's UI that lead from a task to Kaltura."""
