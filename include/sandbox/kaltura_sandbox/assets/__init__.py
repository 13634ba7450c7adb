"""Assets of entries: flavors first of all, and what all kinds share."""
