"""Where knowledge comes from: one importer a source, downloads, set-up."""
