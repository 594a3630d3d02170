"""The asyncio side of the process border, used by app, command line and web."""
