# SPDX-License-Identifier: GPL-2.0-only
"""Tells which lines of a kernel's console mean that something is wrong."""
import re

# What printk() puts before a message: time, and the caller if configured.
PREFIX = re.compile(r"^(?:<\d+>)?\[ *\d+\.\d+\](?:\[ *[TC]\d+\])? ")

# Anchored to the start of the message where the kernel always has them there: boot
# messages mention the same words in passing.
BAD = re.compile("|".join((
    # WARN(), lockdep, RCU; but not the store that pseries' little firmware leaves empty
    r"^WARNING:(?! nvram corruption detected: 0-length partition)",
    r"^(?:watchdog: |\[ )?BUG: ",		# KASAN, bad pages, sleeping in atomic context, …
    r"^BUG \S+ \(",				# SLUB
    r"^kernel BUG at ",
    r"^(?:Internal error: )?Oops",
    r"^Internal error: ",
    r": [0-9a-f]+ \[#\d+\]",			# an oops under any other name
    r"Kernel panic",
    r"^(?:traps: )?PANIC: ",
    r"^watchdog: .*(?i:lockup)",
    r"^general protection fault",
    r"^Unable to handle kernel ",
    r"^UBSAN: ",
    r"possible circular locking dependency",
    r"inconsistent lock state",
    r"suspicious RCU usage",
    r"^INFO: (?:possible|trying to register|task .* blocked for)",
    r"^rcu: INFO: .*(?:stall|detected)",
    r"^rcu: .* kthread (?:starved|timer wakeup)",
    r"^kmemleak: \d+ new suspected memory leak",
    r"^kmemleak: .*unknown object",		# freed twice, or never registered
    # without a scan area, the whole object is scanned: nothing is lost
    r"^kmemleak: (?:Cannot(?! allocate a scan area)|Memory pool empty|Kernel memory leak detector disabled)",
    r"^\S.*: page allocation failure: ",
)))


class Console:
    """Collects the lines that look bad; allowed are patterns of those that may come."""

    def __init__(self, allowed=()):
        self._allowed = [re.compile(pattern) for pattern in allowed]
        self.bad = []

    def line(self, text):
        message = PREFIX.sub("", text, count=1)
        if BAD.search(message) and not any(p.search(message) for p in self._allowed):
            self.bad.append(text)
