"""The page where people watch, and the stream that dashboards subscribe to."""
