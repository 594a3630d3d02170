"""The Comprehensive Rules: parser, records, release files."""
