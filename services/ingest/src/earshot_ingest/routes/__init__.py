"""The quieter routes of ingest, in FastAPI: items one by one, sources, the form, webhooks."""
