"""What `twitching-cds serve` does once its options are read."""

from __future__ import annotations

import logging
import socket

import uvicorn

from cds_hooks import app
from cds_hooks.connection import Connection
from cds_hooks.monitoring.log_lines import log_to_standard_error
from cds_hooks.service_request import OrderError
from cds_hooks.settings import Settings, unknown_variables
from cds_hooks.storage.database import DatabaseUrlError
from mappings.knowledge import KnowledgeError

logger = logging.getLogger("twitching_cds")
DRAIN_SECONDS = 10
"""How long calls that are under way may take to end when the service is told to stop."""
IDLE_SECONDS = 75
"""How long a connection is kept for the next call: longer than proxies (60) and clients, or they meet a closed one."""
WORKER_SECONDS = 30
"""How long a new worker may take to start, or a worker to show that it lives: machines can be busy."""


def run(settings: Settings, host: str, port: int, workers: int) -> str:
    """Serve until a signal says otherwise; calls that are under way are answered first.

    Answers why it could not start, or nothing.
    """
    log_to_standard_error(settings.log_level)
    for name in unknown_variables():
        logger.warning("the variable %s sets nothing: there is no such setting", name)
    try:
        application = app.create_app(settings)
    except (KnowledgeError, OrderError) as error:
        return f"The rules cannot be used: {error}"
    except DatabaseUrlError as error:
        return f"database_url (or TWITCHING_CDS_DATABASE_URL): {error}"
    except ValueError as error:
        if settings.site is None or not hasattr(error, "problems"):
            raise
        return f"The site profile {settings.site} cannot be used:\n{error}"
    try:
        _try_to_listen(host, port)
    except OSError as error:
        return f"Cannot listen on {host}, port {port}: {error.strerror}. Choose another --port or --host."
    uvicorn.run(
        application if workers == 1 else "cds_hooks.app:from_environment",
        factory=workers > 1,
        host=host,
        port=port,
        workers=workers,
        http=Connection,
        ws="none",
        log_config=None,  # the lines of the server go where ours go
        access_log=False,
        server_header=False,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        timeout_worker_healthcheck=WORKER_SECONDS,
    )
    return ""


def _try_to_listen(host: str, port: int) -> None:
    """Raises OSError where uvicorn would start everything and then fail in the midst of its log."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        trial.bind((host, port))
