# SPDX-License-Identifier: GPL-2.0-only
"""Sizes as people and QEMU write them: 128M, 2G."""
import re

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def parse(text):
    """Bytes; ValueError with a sentence if the text is no size."""
    match = re.fullmatch(r"(\d+)([KMGT]?)i?B?", text.strip(), re.I)
    if not match:
        raise ValueError(f"'{text}' is not a size: write 512M or 2G")
    return int(match[1]) * UNITS[match[2].upper()]
