"""
The dashboards as code: `python -m deploy.grafana` writes dashboards/*.json.

Built with grafana-foundation-sdk, which Grafana Labs generates from Grafana's own schemas, typed; grafanalib,
the other builder, has had no release since January 2024 and knows no panel of Grafana 10 or later.
"""
