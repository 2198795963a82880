#pragma once
// What Linux has and the Glibc module does not show, because glibc hides it behind _GNU_SOURCE.
// Few headers on purpose: a type that both modules bring would belong to this one.
#include <sys/vfs.h>

extern int renameat2(int from, const char *old_name, int to, const char *new_name, unsigned int flags);

/// Random octets of the kernel: their number, or -1 and errno. Up to 256 come whole.
extern long getrandom(void *octets, unsigned long count, unsigned int flags);

// asm-generic/fcntl.h; the same on every architecture that Swift runs on under Linux.
enum { clinux_set_signal = 10, clinux_set_lease = 1024, clinux_open_path = 010000000, clinux_open_unnamed = 020000000 };

// linux/fs.h, which brings types that the Glibc module has, too: FS_IOC_GETFLAGS, FS_IOC_SETFLAGS, FS_TOPDIR_FL (for 64-bit systems).
static const unsigned long clinux_get_flags = 0x80086601UL;
static const unsigned long clinux_set_flags = 0x40086602UL;
enum { clinux_top_of_hierarchy = 0x20000 };

/// Renames without replacing: 0, or -1 and errno (EEXIST when the target exists).
static inline int clinux_rename_without_replacing(int from, const char *old_name, int to, const char *new_name) {
    return renameat2(from, old_name, to, new_name, 1u);
}

/// Sets an extended attribute: 0, or -1 and errno.
extern int fsetxattr(int file, const char *name, const void *value, unsigned long size, int flags);

/// Reserves room behind the end of a file, whose size stays as it is (FALLOC_FL_KEEP_SIZE): 0, or -1 and errno.
extern int fallocate(int file, int mode, long offset, long length);
static inline int clinux_allocate_behind_end(int file, long offset, long length) {
    return fallocate(file, 1, offset, length);
}

/// The magic number of the file system behind `file`: 0, or -1 and errno.
static inline int clinux_file_system_type(int file, unsigned long *type) {
    struct statfs information;
    if (fstatfs(file, &information) != 0) return -1;
    *type = (unsigned long)information.f_type & 0xFFFFFFFFUL;
    return 0;
}
