"""Write the dashboards' JSON: `python -m deploy.grafana`."""

from __future__ import annotations

from deploy.grafana.files import write

if __name__ == "__main__":
    write()
