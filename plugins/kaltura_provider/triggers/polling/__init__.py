"""How many waits share few calls: pace, roster, readers and the one loop they all listen to. Knows no Airflow."""
