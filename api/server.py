"""How the app is served: uvicorn on uvloop, one process, quiet."""

import uvicorn
from fastapi import FastAPI


async def serve(app: FastAPI, host: str, port: int) -> None:
    """Serve until the process is told to stop."""
    await server(app, host, port).serve()


def server(app: FastAPI, host: str, port: int) -> uvicorn.Server:
    """A server with our settings, not yet started."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            # it waits for a slow socket instead of buffering for it
            ws="websockets-sansio",
            # base64 of samples deflates badly, and each message would pay for it
            ws_per_message_deflate=False,
            # pages have nothing to say on a live socket
            ws_max_size=4096,
            ws_ping_interval=20,
            ws_ping_timeout=20,
            # paths hold ids: counts are in /metrics
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=5,
            lifespan="on",
        )
    )
