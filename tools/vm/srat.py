# SPDX-License-Identifier: GPL-2.0-only
"""The ACPI table of nodes (SRAT) for arm64's virt machine, given through the initrd.

The UEFI of Debian 12 describes virt's second flash bank as memory that may be
mapped write-combining, which Linux counts as memory. QEMU's own table gives it
no node, whereupon Linux disbelieves the table and puts everything into one node.
This table says the same as QEMU's, and that the flash bank belongs to node 0.
"""
import struct

# where Linux looks for tables that replace the firmware's
PATH = "kernel/firmware/acpi/SRAT.aml"

FLASH = (0x04000000, 64 << 20)
RAM = 0x40000000
GIB = 1 << 30

MEMORY, GICC = 1, 3
ENABLED, HOT_PLUGGABLE = 1, 2


def _cpu(node, number):
    return struct.pack("<BBIIII", GICC, 18, node, number, ENABLED, 0)


def _memory(node, base, size, flags=0):
    return struct.pack("<BBIHQQIIQ", MEMORY, 40, node, 0, base, size, 0, ENABLED | flags, 0)


def table(nodes, cpus, memory, maxmem, slots):
    """nodes of equal size; cpus is the list of their nodes; sizes in bytes."""
    entries = [_cpu(node, number) for number, node in enumerate(cpus)]
    entries.append(_memory(0, *FLASH))
    for node in range(nodes):
        entries.append(_memory(node, RAM + node * (memory // nodes), memory // nodes))
    # QEMU puts what is plugged in on the next GiB, with one to spare for each slot
    devices = -(-(RAM + memory) // GIB) * GIB
    entries.append(_memory(nodes - 1, devices, maxmem - memory + slots * GIB, HOT_PLUGGABLE))
    body = struct.pack("<IQ", 1, 0) + b"".join(entries)

    def header(checksum):
        # a higher revision (2) of the table that these names stand for
        return struct.pack("<4sIBB6s8sI4sI", b"SRAT", 36 + len(body), 3, checksum,
                           b"BOCHS ", b"BXPC    ", 2, b"BXPC", 1)
    return header(-sum(header(0) + body) & 0xFF) + body
