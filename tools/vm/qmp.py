# SPDX-License-Identifier: GPL-2.0-only
"""QEMU's machine protocol, over one end of a socket pair."""
import asyncio
import json


class Refused(Exception):
    """QEMU answered with an error."""


class Monitor:
    """One conversation with QEMU. Commands are answered in order; events come between."""

    def __init__(self):
        self._reader = self._writer = self._ready = None
        self._answers = asyncio.Queue()
        self._one_at_a_time = asyncio.Lock()
        self._watchers = set()

    async def connect(self, sock):
        self._reader, self._writer = await asyncio.open_connection(sock=sock, limit=1 << 24)
        # takes the lock before any command can; the answer comes once serve() runs
        self._ready = asyncio.create_task(self.execute("qmp_capabilities"))

    async def serve(self):
        """Reads what QEMU says until it ends."""
        try:
            while line := await self._reader.readline():
                self._message(json.loads(line))
        except ConnectionError:
            pass

    def _message(self, message):
        if "event" in message:
            for watcher in self._watchers:
                watcher.put_nowait(message)
        elif "QMP" not in message:	# its greeting
            self._answers.put_nowait(message)

    async def execute(self, command, **arguments):
        """The answer to one command; Refused if QEMU says no."""
        return await self.execute_json({"execute": command, "arguments": arguments})

    async def execute_json(self, request):
        async with self._one_at_a_time:
            self._writer.write(json.dumps(request).encode() + b"\n")
            answer = await self._answers.get()
        if "error" in answer:
            raise Refused(answer["error"]["desc"])
        return answer["return"]

    def watch(self):
        """A queue of the events from now on; give it to unwatch()."""
        queue = asyncio.Queue()
        self._watchers.add(queue)
        return queue

    def unwatch(self, queue):
        self._watchers.discard(queue)
