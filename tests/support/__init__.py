"""What several test packages share: servers, public data, small helpers. Never imported by the product."""
