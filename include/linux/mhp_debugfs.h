/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _LINUX_MHP_DEBUGFS_H
#define _LINUX_MHP_DEBUGFS_H

#include <linux/debugfs.h>

#if defined(CONFIG_MEMORY_HOTPLUG) && defined(CONFIG_DEBUG_FS)
void mhp_debugfs_create(const char *name, const struct file_operations *fops);
#else
static inline void mhp_debugfs_create(const char *name, const struct file_operations *fops)
{
}
#endif

#endif /* _LINUX_MHP_DEBUGFS_H */
