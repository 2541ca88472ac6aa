#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Memory of /dev/memlend as that of a virtual machine.

set -euo pipefail
cd "$(dirname "$0")"

modprobe memlend 2> /dev/null || true
modprobe kvm-amd 2> /dev/null || modprobe kvm-intel 2> /dev/null || true
exec ./memlend-kvm-test
