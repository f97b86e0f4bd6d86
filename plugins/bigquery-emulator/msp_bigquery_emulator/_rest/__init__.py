"""BigQuery's REST API: routes, requests and pages of answers."""
