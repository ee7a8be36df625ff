"""What deploy/ has, tried: rules, alerts, dashboards."""
