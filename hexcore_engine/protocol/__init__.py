"""What crosses the process border: requests, events, records and their codec."""

__all__ = ["codec", "events", "limits", "records", "requests"]
