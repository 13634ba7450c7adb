"""What the provider adds to the Airflow page."""
