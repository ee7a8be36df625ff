"""Which certificates are trusted."""

from __future__ import annotations

import ssl

import certifi


def trusted() -> ssl.SSLContext:
    """Mozilla's list, the system's, and what SSL_CERT_FILE and SSL_CERT_DIR name."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    return context
