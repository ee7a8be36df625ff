"""What runs around the gateway: Prometheus, Grafana."""
