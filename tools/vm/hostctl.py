# SPDX-License-Identifier: GPL-2.0-only
"""The commands that change a running machine, for its guest and for its owner.

One line asks, one line answers: "ok …", or "error …" with what is wrong.
"""
import asyncio
import json

import qmp
import sizes

UNPLUG_SECONDS = 60

# ACPI's _OST: what the guest reports on (requests to eject), and what is no failure
EJECT_REQUESTS = (3, 0x103)
SUCCESS, EJECT_IN_PROGRESS = 0, 0x84


def is_refusal(event, name):
    """Does the event say that the guest does not let go of the device?"""
    data = event["data"]
    if event["event"] == "ACPI_DEVICE_OST":
        info = data["info"]
        return (info.get("device") == name and info["source"] in EJECT_REQUESTS
                and info["status"] not in (SUCCESS, EJECT_IN_PROGRESS))
    return (event["event"] in ("MEM_UNPLUG_ERROR", "DEVICE_UNPLUG_GUEST_ERROR")
            and data.get("device") == name)


class Control:
    def __init__(self, monitor, machine):
        self._monitor = monitor
        self._machine = machine
        self._one_at_a_time = asyncio.Lock()

    async def serve(self, reader, writer):
        """Answers the lines of one connection until it ends."""
        try:
            while line := await reader.readline():
                async with self._one_at_a_time:
                    answer = await self._answer(line.decode(errors="replace").strip())
                writer.write(answer.encode() + b"\n")
                await writer.drain()
        except ConnectionError:
            pass	# gone with an answer unread
        finally:
            writer.close()

    async def _answer(self, line):
        name, _, rest = line.partition(" ")
        commands = {"dimm-add": self._dimm_add, "dimm-del": self._dimm_del,
                    "virtio-mem": self._virtio_mem, "virtio-mem-size": self._virtio_mem_size,
                    "numa": self._numa, "qmp": self._qmp}
        if name not in commands:
            return f"error '{name}' is no command: use {', '.join(commands)}"
        try:
            # QMP's JSON is one argument, blanks and all
            arguments = [rest] if name == "qmp" else rest.split()
            return f"ok {await commands[name](*arguments)}".rstrip()
        except TypeError:
            return f"error {name}: wrong number of arguments"
        except (ValueError, qmp.Refused) as error:
            return "error " + str(error).replace("\n", " ")

    async def _dimm_add(self, name, size, node="0"):
        size = sizes.parse(size)
        self._machine.check_dimm(size)
        self._machine.check_node(int(node))
        backend = f"{name}-mem"
        try:
            # left behind by a dimm-del that gave up before the guest did
            await self._monitor.execute("object-del", id=backend)
        except qmp.Refused:
            pass	# there is none, or a DIMM uses it
        await self._monitor.execute("object-add", id=backend, size=size, reserve=False,
                                    **{"qom-type": "memory-backend-ram"})
        try:
            await self._monitor.execute("device_add", driver="pc-dimm", id=name,
                                        memdev=backend, node=int(node))
        except qmp.Refused:
            await self._monitor.execute("object-del", id=backend)
            raise
        return ""

    async def _dimm_del(self, name, seconds=UNPLUG_SECONDS):
        events = self._monitor.watch()
        try:
            await self._monitor.execute("device_del", id=name)
            async with asyncio.timeout(float(seconds)):
                while True:
                    event = await events.get()
                    if is_refusal(event, name):
                        raise ValueError("refused")
                    if event["event"] == "DEVICE_DELETED" and event["data"].get("device") == name:
                        break
        except TimeoutError:
            raise ValueError("timeout") from None
        finally:
            self._monitor.unwatch(events)
        await self._monitor.execute("object-del", id=f"{name}-mem")
        return ""

    async def _virtio_mem(self, name, size):
        await self._monitor.execute("qom-set", path=f"/machine/peripheral/{name}",
                                    property="requested-size", value=sizes.parse(size))
        return ""

    async def _virtio_mem_size(self, name):
        return await self._monitor.execute("qom-get", path=f"/machine/peripheral/{name}",
                                           property="size")

    async def _numa(self):
        text = await self._monitor.execute("human-monitor-command",
                                           **{"command-line": "info numa"})
        return "; ".join(text.split("\r\n")).rstrip("; ")

    async def _qmp(self, request):
        try:
            request = json.loads(request)
        except ValueError:
            raise ValueError("qmp wants one JSON object") from None
        return json.dumps(await self._monitor.execute_json(request))
