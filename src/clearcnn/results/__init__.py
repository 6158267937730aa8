"""What came out of each verb: frozen records, the same for people, JSON and the report."""
