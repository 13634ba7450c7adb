"""The command line: ``airflow kaltura ...`` and the script ``kaltura``, over one definition of their commands."""
