"""The Kaltura API v3 on the wire: calls, sessions, errors, enumerations and delivery URLs. No Airflow, no files."""
