"""What crosses the process border: requests, events, records and their codec."""
