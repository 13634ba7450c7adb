"""Background work: fetching URLs, analysing and converting media."""
