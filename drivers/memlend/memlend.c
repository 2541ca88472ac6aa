// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/memlend: file descriptors that own memory taken out of the kernel
 *
 * A carve-out belongs to an inode of a file system of its own, and goes back when the
 * inode does: after the last descriptor and the last mapping, whoever had them and
 * whatever became of him.
 *
 * See Documentation/admin-guide/mm/memlend.rst.
 */
#define pr_fmt(fmt) "memlend: " fmt

#include <linux/capability.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mem_carve.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/pagemap.h>
#include <linux/pfn_t.h>
#include <linux/pseudo_fs.h>
#include <linux/sizes.h>
#include <linux/topology.h>
#include <linux/uaccess.h>
#include <uapi/linux/memlend.h>

#define MEMLEND_MAGIC	0x6d6c6e64	/* "mlnd" */

/*
 * One takes memory at a time: what is lent does not grow between the look at it and
 * another carve-out, and two do not find each other in the way.
 */
static DEFINE_MUTEX(lend_lock);

static ulong limit_mib = ULONG_MAX;
module_param(limit_mib, ulong, 0644);
MODULE_PARM_DESC(limit_mib, "MiB that may be lent at a time; half of the memory unless it is set");

static int get_lent(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%llu\n", mem_carve_owned() / SZ_1M);
}

static int is_told_only(const char *text, const struct kernel_param *kp)
{
	return -EPERM;
}

static const struct kernel_param_ops lent_ops = { .set = is_told_only, .get = get_lent };
module_param_cb(lent_mib, &lent_ops, NULL, 0444);
MODULE_PARM_DESC(lent_mib, "MiB that are lent, or could not be returned yet");

static int get_unit(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%llu\n", mem_carve_unit(0) ?:
			  mem_carve_unit(MEM_CARVE_KEEP_MAPPED));
}

static const struct kernel_param_ops unit_ops = { .set = is_told_only, .get = get_unit };
module_param_cb(unit, &unit_ops, NULL, 0444);
MODULE_PARM_DESC(unit, "Sizes are multiples of so many bytes");

static bool within_limit(u64 size)
{
	const u64 limit = (u64)min(limit_mib, ULONG_MAX / SZ_1M) * SZ_1M;
	const u64 lent = mem_carve_owned();

	return lent <= limit && size <= limit - lent;
}

static struct mem_carve *carve_of(struct file *file)
{
	return file_inode(file)->i_private;
}

/* Where the memory for the fault is, if there are 1 << @order pages of it */
static bool find_pfn(struct vm_fault *vmf, unsigned int order, unsigned long *pfn)
{
	struct vm_area_struct *vma = vmf->vma;
	const struct mem_carve *carve = carve_of(vma->vm_file);
	const unsigned long nr_pages = 1UL << order;
	const unsigned long address = ALIGN_DOWN(vmf->address, nr_pages << PAGE_SHIFT);
	unsigned long offset;

	if (address < vma->vm_start ||
	    address + (nr_pages << PAGE_SHIFT) > vma->vm_end)
		return false;

	offset = linear_page_index(vma, address);
	if (offset + nr_pages > PHYS_PFN(mem_carve_size(carve)))
		return false;

	*pfn = PHYS_PFN(mem_carve_start(carve)) + offset;
	return IS_ALIGNED(*pfn, nr_pages);
}

static bool poisoned(struct vm_fault *vmf, unsigned int order, unsigned long pfn)
{
	const struct mem_carve *carve = carve_of(vmf->vma->vm_file);

	return mem_carve_poisoned(carve, pfn - PHYS_PFN(mem_carve_start(carve)), 1UL << order);
}

static vm_fault_t memlend_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	const bool write __maybe_unused = vmf->flags & FAULT_FLAG_WRITE;
	unsigned long pfn;

	if (!find_pfn(vmf, order, &pfn))
		return order ? VM_FAULT_FALLBACK : VM_FAULT_SIGBUS;
	if (poisoned(vmf, order, pfn))
		return order ? VM_FAULT_FALLBACK : VM_FAULT_HWPOISON;

	switch (order) {
	case 0:
		return vmf_insert_pfn(vmf->vma, vmf->address & PAGE_MASK, pfn);
#ifdef CONFIG_ARCH_SUPPORTS_PMD_PFNMAP
	case PMD_ORDER:
		return vmf_insert_pfn_pmd(vmf, __pfn_to_pfn_t(pfn, PFN_DEV), write);
#endif
	default:
		return VM_FAULT_FALLBACK;
	}
}

static vm_fault_t memlend_fault(struct vm_fault *vmf)
{
	return memlend_huge_fault(vmf, 0);
}

static const struct vm_operations_struct memlend_vm_ops = {
	.fault		= memlend_fault,
#ifdef CONFIG_ARCH_SUPPORTS_HUGE_PFNMAP
	.huge_fault	= memlend_huge_fault,
#endif
};

static int memlend_mmap(struct file *file, struct vm_area_struct *vma)
{
	const unsigned long size = PHYS_PFN(mem_carve_size(carve_of(file)));

	/* A private mapping would have pages of its own once it is written to. */
	if (is_cow_mapping(vma->vm_flags))
		return -EINVAL;
	if (vma->vm_pgoff >= size || vma_pages(vma) > size - vma->vm_pgoff)
		return -EINVAL;

	vm_flags_set(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	/* To have huge_fault() asked where huge pages are for those who want them */
	if (IS_ENABLED(CONFIG_ARCH_SUPPORTS_HUGE_PFNMAP))
		vm_flags_set(vma, VM_HUGEPAGE);
	vma->vm_ops = &memlend_vm_ops;
	return 0;
}

/* No owner: the mount holds the module. */
static const struct file_operations memlend_memory_fops = {
	.mmap		= memlend_mmap,
	.llseek		= generic_file_llseek,
	.get_unmapped_area = thp_get_unmapped_area,
};

static int memlend_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
			   struct iattr *attr)
{
	/* The size is what it is. */
	if (attr->ia_valid & ATTR_SIZE && attr->ia_size != i_size_read(d_inode(dentry)))
		return -EPERM;
	return simple_setattr(idmap, dentry, attr);
}

static const struct inode_operations memlend_inode_ops = {
	.setattr	= memlend_setattr,
};

static void memlend_evict(struct inode *inode)
{
	struct mem_carve *carve = inode->i_private;

	clear_inode(inode);
	if (carve)
		mem_carve_return(carve);
}

static const struct super_operations memlend_super_ops = {
	.statfs		= simple_statfs,
	.drop_inode	= generic_delete_inode,
	.evict_inode	= memlend_evict,
};

static int memlend_init_fs_context(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, MEMLEND_MAGIC);

	if (!ctx)
		return -ENOMEM;
	ctx->ops = &memlend_super_ops;
	fc->s_iflags |= SB_I_NOEXEC | SB_I_NODEV;
	return 0;
}

static struct file_system_type memlend_fs = {
	.name		= "memlend",
	.owner		= THIS_MODULE,
	.init_fs_context = memlend_init_fs_context,
	.kill_sb	= kill_anon_super,
};

static struct vfsmount *memlend_mount;
static int memlend_mount_users;

static struct inode *new_inode_in(struct vfsmount *mount)
{
	struct inode *inode = alloc_anon_inode(mount->mnt_sb);

	if (IS_ERR(inode))
		return inode;
	inode->i_mode = S_IFREG | 0600;
	inode->i_op = &memlend_inode_ops;
	inode->i_fop = &memlend_memory_fops;
	return inode;
}

/* new_file() - a file without memory yet */
static struct file *new_file(void)
{
	struct inode *inode;
	struct file *file;
	int err;

	/* The mount holds the module until the last inode is gone. */
	err = simple_pin_fs(&memlend_fs, &memlend_mount, &memlend_mount_users);
	if (err)
		return ERR_PTR(err);

	inode = new_inode_in(memlend_mount);
	if (IS_ERR(inode)) {
		file = ERR_CAST(inode);
		goto out;
	}

	file = alloc_file_pseudo(inode, memlend_mount, "memlend", O_RDWR | O_LARGEFILE,
				 &memlend_memory_fops);
	if (IS_ERR(file))
		iput(inode);
out:
	simple_release_fs(&memlend_mount, &memlend_mount_users);
	return file;
}

/* Whether another node may have what this one has not */
static bool is_short(const struct mem_carve *carve)
{
	return carve == ERR_PTR(-ENOMEM) || carve == ERR_PTR(-ENODEV);
}

static struct mem_carve *carve_anywhere(u64 size, unsigned int flags)
{
	const int here = numa_mem_id();
	struct mem_carve *carve = mem_carve_alloc(here, size, flags);
	int nid;

	for_each_node_state(nid, N_NORMAL_MEMORY) {
		if (!is_short(carve))
			break;
		if (nid != here)
			carve = mem_carve_alloc(nid, size, flags);
	}
	return carve;
}

/* With lend_lock */
static struct mem_carve *carve_out(const struct memlend_alloc *want)
{
	unsigned int flags = 0;

	if (!within_limit(want->size))
		return ERR_PTR(-EDQUOT);
	if (want->flags & MEMLEND_KEEP_MAPPED)
		flags |= MEM_CARVE_KEEP_MAPPED;
	if (want->flags & MEMLEND_FREE_MEMMAP)
		flags |= MEM_CARVE_FREE_MEMMAP;
	if (want->node == MEMLEND_ANY_NODE)
		return carve_anywhere(want->size, flags);
	return mem_carve_alloc(want->node, want->size, flags);
}

/* give_memory() - fill an empty file; there is none if that fails */
static int give_memory(struct file *file, const struct memlend_alloc *want)
{
	struct inode *inode = file_inode(file);
	struct mem_carve *carve;

	if (mutex_lock_killable(&lend_lock))
		return -EINTR;
	carve = carve_out(want);
	mutex_unlock(&lend_lock);

	if (carve == ERR_PTR(-EDQUOT))
		pr_info_ratelimited("%s[%d]: %llu MiB are more than limit_mib leaves\n",
				    current->comm, task_pid_nr(current), want->size / SZ_1M);
	else if (IS_ERR(carve))
		pr_info_ratelimited("%s[%d]: no %llu MiB of node %d: %pe\n",
				    current->comm, task_pid_nr(current), want->size / SZ_1M,
				    want->node, carve);
	if (IS_ERR(carve))
		return PTR_ERR(carve);

	inode->i_private = carve;
	i_size_write(inode, want->size);
	return 0;
}

static int lend(const struct memlend_alloc *want)
{
	struct file *file;
	int fd, err;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;

	file = new_file();
	if (IS_ERR(file)) {
		err = PTR_ERR(file);
		goto put_fd;
	}
	err = give_memory(file, want);
	if (err)
		goto put_file;

	fd_install(fd, file);
	return fd;

put_file:
	fput(file);
put_fd:
	put_unused_fd(fd);
	return err;
}

static bool is_sound(const struct memlend_alloc *want)
{
	return !(want->flags & ~(MEMLEND_KEEP_MAPPED | MEMLEND_FREE_MEMMAP)) &&
	       !want->reserved[0] && !want->reserved[1] &&
	       want->node >= MEMLEND_ANY_NODE && want->size <= MAX_LFS_FILESIZE;
}

static long memlend_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct memlend_alloc want;

	if (cmd != MEMLEND_ALLOC)
		return -ENOTTY;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(&want, (void __user *)arg, sizeof(want)))
		return -EFAULT;
	if (!is_sound(&want))
		return -EINVAL;
	return lend(&want);
}

static const struct file_operations memlend_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= memlend_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.llseek		= noop_llseek,
};

static struct miscdevice memlend_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "memlend",
	.fops	= &memlend_fops,
	.mode	= 0600,
};

static int __init memlend_init(void)
{
	if (limit_mib == ULONG_MAX)
		limit_mib = totalram_pages() / 2 / (SZ_1M / PAGE_SIZE);
	return misc_register(&memlend_device);
}
module_init(memlend_init);

static void __exit memlend_exit(void)
{
	misc_deregister(&memlend_device);
}
module_exit(memlend_exit);

MODULE_DESCRIPTION("Lends memory that was taken out of the kernel");
MODULE_LICENSE("GPL");
