"""
The dashboards as code: `python -m deploy.grafana` writes dashboards/*.json.

Built with grafana-foundation-sdk, which Grafana Labs generates from Grafana's own schemas: what a panel can
be told is typed, and the installed release is the one for Grafana 11.6.
"""
