"""``offscribe serve``: the page and the API."""

from __future__ import annotations

import logging
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from offscribe import guard
from offscribe.cli import console
from offscribe.cli.arguments import (
    DEFAULT_LOAD,
    BatchSizeOption,
    ComputeTypeOption,
    DeviceOption,
    HomeOption,
    ModelOption,
    ModelPathOption,
    ThreadsOption,
)
from offscribe.errors import BadOption, ResourceError
from offscribe.guard import is_loopback
from offscribe.home import find_home
from offscribe.services.installation import open_installation
from offscribe.services.presence import announced
from offscribe.services.runtime import Runtime
from offscribe.types import LoadOptions

DEFAULT_PORT = 7860


class PortTaken(ResourceError):
    code = "port_taken"


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free port.")] = DEFAULT_PORT,
    no_auth: Annotated[
        bool,
        typer.Option("--no-auth", help="Let everybody who reaches --host use it. No accounts yet."),
    ] = False,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(help="Another name that browsers may call this server by."),
    ] = None,
    root: Annotated[
        list[Path] | None,
        typer.Option(help="A folder whose recordings batches may name by path."),
    ] = None,
    model: ModelOption = None,
    model_path: ModelPathOption = None,
    device: DeviceOption = "auto",
    threads: ThreadsOption = 0,
    batch_size: BatchSizeOption = DEFAULT_LOAD.batch_size,
    compute_type: ComputeTypeOption = DEFAULT_LOAD.compute_type,
    idle_unload: Annotated[
        float,
        typer.Option(min=0, help="Minutes after which an unused model is let go; 0: never."),
    ] = 0,
    home: HomeOption = None,
) -> None:
    """Serve the page and the API until interrupted."""
    if not is_loopback(host) and not no_auth:
        raise BadOption(
            f"--host {host} would let other machines in, and there are no accounts yet",
            hint="Leave --host away, or say --no-auth if everybody there may read everything.",
        )
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    installation = open_installation(
        find_home(home),
        model_id=model,
        model_path=model_path,
        load=LoadOptions(device, threads, compute_type, batch_size),
    )
    listener = _listen(host, port)
    runtime = Runtime(installation, guard.installed(), idle_unload_s=60 * idle_unload)
    with announced(installation.home, _url(listener)):
        _run(runtime, listener, frozenset({host, *(allowed_host or ())}), root or [])


def _run(
    runtime: Runtime, listener: socket.socket, hosts: frozenset[str], roots: list[Path]
) -> None:
    # Imported here: other commands start faster without the web server.
    import uvicorn

    from offscribe.api.app import create_app

    app = create_app(runtime, hosts=hosts, roots=roots)
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=5)
    console.stderr.print(
        f"[bold]Offscribe[/] serves {_url(listener)}  (model {runtime.installation.model.id},"
        f" home {runtime.installation.home.root})\nCtrl+C stops it."
    )
    signal.signal(signal.SIGTERM, _terminated)
    with suppress(KeyboardInterrupt):  # Ctrl+C is how one stops it
        uvicorn.Server(config).run(sockets=[listener])


def _terminated(_number: int, _frame: object) -> None:
    """The web server passes SIGTERM on once it has finished; what is left to do is ours."""
    raise SystemExit(0)


def _url(listener: socket.socket) -> str:
    address, port = listener.getsockname()[:2]
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def _listen(host: str, port: int) -> socket.socket:
    """Take the address before anything is started. Raises PortTaken, BadOption."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except socket.gaierror as error:
        raise BadOption(f"--host {host} is no address of this machine") from error
    except OSError as error:
        raise PortTaken(
            f"{host}:{port} cannot be used: {error.strerror}",
            hint="Is Offscribe running already? Otherwise choose another with --port.",
        ) from error
    return listener
