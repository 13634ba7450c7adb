"""The board: pages in Airflow's UI that show uploads, new entries and failures, and start failed items again."""
