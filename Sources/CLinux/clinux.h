#pragma once
// What Swift's Glibc module leaves out: these headers,
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fsuid.h>
// and three functions that glibc shows only under _GNU_SOURCE. Defining that here alone would make types
// such as fd_set differ between this module and Glibc's.
#include <pthread.h>
#include <stddef.h>
#include <malloc.h>
void *memmem(const void *bytes, size_t count, const void *wanted, size_t length);
int mkostemp(char *name, int flags);
int pthread_setname_np(pthread_t thread, const char *name);

// The gate's: more headers that the module lacks,
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <spawn.h>
// functions under _GNU_SOURCE,
int accept4(int socket, struct sockaddr *address, socklen_t *length, int flags);
int pipe2(int ends[2], int flags);
ssize_t splice(int from, __off64_t *from_offset, int to, __off64_t *to_offset, size_t length, unsigned flags);
int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path);
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
// constants of theirs,
enum { KR_SPLICE_MOVE = 1, KR_SPLICE_NONBLOCK = 2, KR_SPAWN_SETSID = 0x80 };
enum { KR_F_SETPIPE_SZ = 1031, KR_SO_PEERCRED = 17 };
struct kr_credentials { int pid; unsigned uid; unsigned gid; };
// and what is variadic in C, which Swift cannot call.
static inline int kr_become_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L); }

// The host's: a process as a descriptor, which glibc has only since 2.36.
#include <sys/syscall.h>
long syscall(long number, ...);
static inline int kr_pidfd_open(int pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

// The kernelspecs': two folders that change places in one step.
int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags);
enum { KR_RENAME_EXCHANGE = 2 };
