"""What stands around the gateway: Prometheus, Grafana."""
