"""Bulk uploads (service ``bulkUpload_bulk``): the files Kaltura reads, the jobs, and their logs."""
