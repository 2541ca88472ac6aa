# SPDX-License-Identifier: GPL-2.0-only
"""Archives in the "newc" form that the kernel unpacks as its first root.

Written here rather than by cpio(1), so that nothing of the host (owner, inode
numbers, times) gets in: the same files give the same bytes.
"""
import os
import stat


def _header(inode, mode, size, name):
    fields = (inode, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, len(name) + 1, 0)
    return b"070701" + b"".join(b"%08X" % field for field in fields)


class Writer:
    """Appends members to a binary file; close() ends the archive."""

    def __init__(self, out):
        self._out = out
        self._inode = 0
        self._directories = set()

    def _member(self, mode, name, data):
        # Inode numbers tell hard links apart, nothing else: counting is enough.
        self._inode += 1
        name = name.encode()
        for part in (_header(self._inode, mode, len(data), name) + name + b"\0", data):
            self._out.write(part + b"\0" * (-len(part) % 4))

    def directory(self, name):
        """The directory and every one above it: the kernel makes no parents."""
        name = name.strip("/")
        if not name or name in self._directories:
            return
        self.directory(os.path.dirname(name))
        self._directories.add(name)
        self._member(stat.S_IFDIR | 0o755, name, b"")

    def file(self, name, data, executable=False):
        name = name.strip("/")
        self.directory(os.path.dirname(name))
        self._member(stat.S_IFREG | (0o755 if executable else 0o644), name, data)

    def symlink(self, name, target):
        name = name.strip("/")
        self.directory(os.path.dirname(name))
        self._member(stat.S_IFLNK | 0o777, name, target.encode())

    def tree(self, root, place=""):
        """Everything below the directory root, under place, in the order of the names."""
        for path, directories, files in os.walk(root):
            directories.sort()
            inside = os.path.normpath(os.path.join(place, os.path.relpath(path, root)))
            self.directory("" if inside == "." else inside)
            for name in sorted(files + [d for d in directories if
                                        os.path.islink(os.path.join(path, d))]):
                source = os.path.join(path, name)
                target = os.path.normpath(os.path.join(inside, name))
                if os.path.islink(source):
                    self.symlink(target, os.readlink(source))
                else:
                    with open(source, "rb") as file:
                        self.file(target, file.read(), os.access(source, os.X_OK))

    def close(self):
        self._inode = -1
        self._member(0, "TRAILER!!!", b"")
