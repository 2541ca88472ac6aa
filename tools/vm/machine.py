# SPDX-License-Identifier: GPL-2.0-only
"""The QEMU command line of a guest, for each architecture."""
import os
import shutil

import sizes
import srat

MIB = 1 << 20
SLOTS = 32		# the most that pseries has

# A cpu that Debian's programs run on, chosen for speed under emulation.
MACHINES = {
    "x86_64": {
        "program": "qemu-system-x86_64", "package": "qemu-system-x86",
        "machine": "q35", "cpu": "max", "console": "ttyS0", "firmware": None,
        "dimm": 128 * MIB, "virtio_mem": True, "pmem": True,
    },
    "arm64": {
        "program": "qemu-system-aarch64", "package": "qemu-system-arm",
        "machine": "virt,gic-version=3", "cpu": "max,pauth=off", "console": "ttyAMA0",
        # memory comes and goes through ACPI, which virt has under UEFI only
        "firmware": "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd",
        "dimm": 128 * MIB, "virtio_mem": True, "pmem": True,
    },
    "ppc64le": {
        "program": "qemu-system-ppc64", "package": "qemu-system-ppc",
        # without the mitigations that emulation does not have; and with QEMU's
        # little firmware, which starts the kernel 5 s sooner than SLOF does
        "machine": "pseries,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off,"
                   "x-vof=on",
        "cpu": "power9", "console": "hvc0", "firmware": None,
        "dimm": 256 * MIB, "virtio_mem": False, "pmem": False,
        # bare metal: all memory is there from the start; PCI is among the defaults
        "others": {"powernv9": {"machine": "powernv9", "hotplug": False, "bus": ",bus=pcie.0",
                                "defaults": ["-nic", "none"]}},
    },
}

PORTS = ("output", "result", "control")


def find_kind(options):
    """The machine that the options name, or the usual one."""
    kind = {"hotplug": True, "bus": "", "defaults": ["-nodefaults"], **MACHINES[options.arch]}
    if not options.machine:
        return kind
    others = kind.get("others", {})
    if options.machine not in others:
        raise ValueError(f"--machine {options.machine} is not known on {options.arch}: "
                         f"leave it out{''.join(f', or take {name}' for name in others)}")
    return {**kind, **others[options.machine]}


class Device:
    """SIZE[,node=N][,requested=SIZE] of a memory device on the command line."""

    def __init__(self, text, allowed):
        size, *more = text.split(",")
        self.size = sizes.parse(size)
        self.values = {}
        for item in more:
            key, equals, value = item.partition("=")
            if key not in allowed or not equals:
                raise ValueError(f"'{item}' in '{text}' is unknown: "
                                 f"SIZE may be followed by {', '.join(allowed)}=…")
            self.values[key] = value
        self.node = int(self.values.get("node", "0"))


class Machine:
    """One guest, as the options of tools/vm/run describe it."""

    def __init__(self, options):
        self._options = options
        self._kind = find_kind(options)
        self.cpus = 1 if options.icount else options.cpus
        self.memory = sizes.parse(options.memory)
        sizes.parse(options.maxmem)
        self.dimms = [Device(text, ("node",)) for text in options.dimm]
        self.virtio_mem = [Device(text, ("node", "requested")) for text in options.virtio_mem]
        self.pmem = [Device(text, ("node",)) for text in options.pmem]
        self._check()

    def _check(self):
        options, kind = self._options, self._kind
        for path, advice in ((options.kernel, "tools/kernel/build makes one"),
                             (options.initramfs, f"run tools/vm/initramfs {options.arch}")):
            if not os.path.isfile(path):
                raise ValueError(f"{path} is missing: {advice}")
        if not shutil.which(kind["program"]):
            raise ValueError(f"{kind['program']} is missing: install Debian's {kind['package']}")
        if kind["firmware"] and not os.path.exists(kind["firmware"]):
            raise ValueError(f"{kind['firmware']} is missing: install Debian's qemu-efi-aarch64")
        if not kind["hotplug"] and (self.dimms or self.virtio_mem or self.pmem
                                    or options.nodes > 1):
            raise ValueError(f"{kind['machine']} has one node, and nothing comes later: use --memory")
        if self.virtio_mem and not kind["virtio_mem"]:
            raise ValueError(f"virtio-mem does not exist on {options.arch}: use --dimm")
        if self.pmem and not kind["pmem"]:
            raise ValueError(f"--pmem is not for {options.arch}: use x86_64 or arm64")
        if min(options.nodes, self.cpus) < 1:
            raise ValueError("--nodes and --cpus are at least 1")
        if not self.memory or self.memory % (options.nodes * kind["dimm"]):
            raise ValueError(f"--memory {options.memory} cannot be divided into {options.nodes} "
                             f"nodes of whole {kind['dimm'] // MIB} MiB: choose another size")
        for device in self.dimms:
            self.check_dimm(device.size)
        for device in self.dimms + self.virtio_mem + self.pmem:
            self.check_node(device.node)

    def check_dimm(self, size):
        """Refuses what the guest would take in part, or not at all."""
        if not size or size % self._kind["dimm"]:
            raise ValueError(f"a DIMM here is a multiple of {self._kind['dimm'] // MIB} MiB")

    def check_node(self, node):
        if not 0 <= node < self._options.nodes:
            raise ValueError(f"node {node} does not exist: the nodes are "
                             f"0 to {self._options.nodes - 1} (--nodes)")

    def kernel_command_line(self, token):
        """The run's own words, then the user's, which may so override them."""
        words = [f"console={self._kind['console']}", "ignore_loglevel", "printk.devkmsg=on",
                 "panic=-1", "panic_on_warn=1", f"mhp.token={token}"]
        return " ".join(words + self._options.append)

    def arguments(self, initrd, token, console, monitor, ports):
        """initrd is a path; console, monitor and each of ports descriptors of sockets."""
        options, kind = self._options, self._kind
        machine = kind["machine"] + (",nvdimm=on" if self.pmem else "")
        line = [kind["program"], "-machine", machine, "-cpu", kind["cpu"],
                *kind["defaults"], "-display", "none", "-no-reboot",
                # sockets: a package with cpus of two nodes makes the kernel warn
                "-smp", f"{self.cpus},sockets={self.cpus}",
                "-m", f"size={self.memory // MIB}M" +
                (f",slots={SLOTS},maxmem={options.maxmem}" if kind["hotplug"] else "")]
        if options.icount:
            line += ["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off"]
        else:
            line += ["-accel", "tcg"]
        if kind["firmware"]:
            line += ["-bios", kind["firmware"]]
        if kind["hotplug"]:
            line += self._nodes()
        line += ["-kernel", options.kernel, "-initrd", initrd,
                 "-append", self.kernel_command_line(token),
                 "-chardev", f"socket,id=console,fd={console}", "-serial", "chardev:console",
                 "-chardev", f"socket,id=monitor,fd={monitor}",
                 "-mon", "chardev=monitor,mode=control",
                 "-device", "virtio-serial-pci" + kind["bus"]]
        for name, port in zip(PORTS, ports):
            line += ["-chardev", f"socket,id={name},fd={port}",
                     "-device", f"virtserialport,chardev={name},name=org.mhp.{name}"]
        for number, device in enumerate(self.dimms):
            line += self._device("pc-dimm", f"dimm{number}", device)
        for number, device in enumerate(self.virtio_mem):
            requested = sizes.parse(device.values.get("requested", "0"))
            line += self._device("virtio-mem-pci", f"vmem{number}", device,
                                 f",requested-size={requested}")
        for number, device in enumerate(self.pmem):
            line += self._device("nvdimm", f"pmem{number}", device, ",label-size=128K")
        return line + options.qemu

    def _node_of_cpu(self, cpu):
        return cpu * self._options.nodes // self.cpus

    def _nodes(self):
        """Memory and cpus, spread evenly over the nodes."""
        nodes, line = self._options.nodes, []
        for node in range(nodes):
            cpus = [f"cpus={cpu}" for cpu in range(self.cpus) if self._node_of_cpu(cpu) == node]
            line += ["-object", f"memory-backend-ram,id=ram{node},size={self.memory // nodes},"
                     "reserve=off",
                     "-numa", ",".join([f"node,nodeid={node},memdev=ram{node}", *cpus])]
        return line

    def firmware_files(self):
        """Names and contents of what the kernel takes from the initrd before it unpacks that."""
        nodes = self._options.nodes
        if self._options.arch != "arm64" or nodes == 1:
            return {}
        cpus = [self._node_of_cpu(cpu) for cpu in range(self.cpus)]
        return {srat.PATH: srat.table(nodes, cpus, self.memory,
                                      sizes.parse(self._options.maxmem), SLOTS)}

    @staticmethod
    def _device(driver, name, device, more=""):
        return ["-object", f"memory-backend-ram,id={name}-mem,size={device.size},reserve=off",
                "-device", f"{driver},id={name},memdev={name}-mem,node={device.node}{more}"]
