"""Dev resources: what a plugin needs to run the embedded stand-in of its resource.

    @contextlib.asynccontextmanager
    async def exampled(folder: Path) -> AsyncIterator[Mapping[str, str]]:
        async with server_folder(folder) as held:
            port = held.port()
            command = ["exampled", "--port", str(port), "--data", held.data]
            async with server_process(command, folder=held, ready=answers(port)):
                yield {"EXAMPLE_ENDPOINT": f"example://127.0.0.1:{port}"}

    Integration(name="example", dev=exampled, …)

Servers listen on loopback only, keep their data, and never outlive the process that started them.
"""

from __future__ import annotations

from msp_core.dev._folder import (
    DATA_FOLDER,
    ServerFolder,
    forget_folder,
    refuse_on_platform,
    server_folder,
    unusable,
)
from msp_core.dev._ports import answers, free_port
from msp_core.dev._process import ServerProcess, run_tool, server_process
from msp_core.dev._resources import DevResources
from msp_core.dev._running import StartedResource, running_resources
from msp_core.dev._user import ServerUser, reachable_copy, unprivileged_user
from msp_core.http._port import next_port, try_port
from msp_core.integration import DevResource

__all__ = [
    "DATA_FOLDER",
    "DevResource",
    "DevResources",
    "ServerFolder",
    "ServerProcess",
    "ServerUser",
    "StartedResource",
    "answers",
    "forget_folder",
    "free_port",
    "next_port",
    "reachable_copy",
    "refuse_on_platform",
    "run_tool",
    "running_resources",
    "server_folder",
    "server_process",
    "try_port",
    "unprivileged_user",
    "unusable",
]
