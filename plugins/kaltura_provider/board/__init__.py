"""The board: pages in Airflow's UI that show what goes up, what has arrived, what failed and why, and repair it."""
