"""Level-3 feeds (market by order): one array of events, whatever format the venue or its vendor wrote."""
