"""What feeds remember from run to run, in Airflow's asset state store."""
