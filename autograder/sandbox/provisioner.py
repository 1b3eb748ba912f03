"""The warm interpreter as Jupyter knows such things: nbclient, nbgrader and JupyterLab start a kernel in the sandbox.

The kernel spec is in the folder `jupyter` beside this file: set `JUPYTER_PATH` to it, or install it with
`jupyter kernelspec install --sys-prefix .../autograder/sandbox/jupyter/kernels/sandbox`.
"""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Any, cast

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase

from autograder.sandbox.kernels import Kernel, shared_interpreter

JUPYTER_FOLDER = Path(__file__).with_name("jupyter")
"""The folder to add to JUPYTER_PATH."""


class WarmProvisioner(KernelProvisionerBase):
    """Starts kernels by forking them from this process's warm interpreter."""

    _kernel: Kernel | None = None

    @property
    def has_process(self) -> bool:
        """Whether there is a kernel."""
        return self._kernel is not None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Returns the arguments of `launch_kernel`; there is no command, and the grader's environment stays here."""
        return {**kwargs, "cmd": [], "env": {}}

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Forks a kernel and returns how to reach it."""
        self._kernel = await asyncio.to_thread(shared_interpreter().fork)
        connection = self._kernel.connection
        self.connection_info = cast(KernelConnectionInfo, {**connection, "key": connection["key"].encode()})
        return self.connection_info

    async def poll(self) -> int | None:
        """Returns the exit code of a kernel that has ended, 0 if there is none, None while it runs."""
        return 0 if self._kernel is None else self._kernel.exit_code

    async def wait(self) -> int | None:
        """Waits until the kernel has ended."""
        while (code := await self.poll()) is None:
            await asyncio.sleep(0.02)
        await self.kill()
        return code

    async def send_signal(self, signum: int) -> None:
        """Interrupts the kernel, or ends it: no other signal goes through the walls."""
        if self._kernel is None or signum == 0:
            return
        if signum == signal.SIGINT:
            self._kernel.interrupt()
        else:
            await self.kill()

    async def kill(self, restart: bool = False) -> None:
        """Ends the kernel with all that it started."""
        if self._kernel is not None:
            self._kernel.close()
            self._kernel = None

    async def terminate(self, restart: bool = False) -> None:
        """Ends the kernel: it holds nothing that would have to be saved."""
        await self.kill(restart)

    async def cleanup(self, restart: bool = False) -> None:
        """Removes what the kernel leaves."""
        await self.kill(restart)

    def get_shutdown_wait_time(self, recommended: float = 5.0) -> float:
        """Returns how long a kernel may take to end by itself; there is nothing to wait for."""
        return min(recommended, 0.5)
