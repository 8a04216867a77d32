"""Another CDS Hooks framework under the same body: HealthChain with a rule of one line, in an environment of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

VERSION = "0.16.1"
PATH = "/cds/cds-services/peer"
APP = """
from healthchain.gateway import CDSHooksService, HealthChainAPI
from healthchain.models import CDSRequest, CDSResponse, Card

service = CDSHooksService()

@service.hook("patient-view", id="peer")
def rule(request: CDSRequest) -> CDSResponse:
    return CDSResponse(cards=[Card(summary="constant", indicator="info", source={"label": "peer"})])

app = HealthChainAPI()
app.register_service(service, path="/cds")
"""


def install(folder: Path) -> Path | None:
    """The interpreter of an environment that has it, with `peer.py` in `folder`; None if it cannot be installed."""
    (folder / "peer.py").write_text(APP, encoding="utf-8")
    environment = folder / "environment"
    python = environment / "bin" / "python"
    packages = [f"healthchain=={VERSION}", "uvloop", "httptools"]  # the same server as ours has
    try:
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)  # noqa: S603
        pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "-qq", *packages]
        subprocess.run(pip, check=True, capture_output=True, timeout=300)  # noqa: S603
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return None
    return python
