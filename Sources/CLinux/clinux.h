#pragma once
// What Swift's Glibc module leaves out: these headers,
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fsuid.h>
// and two functions that glibc shows only under _GNU_SOURCE. Defining that here alone would make types
// such as fd_set differ between this module and Glibc's.
#include <pthread.h>
int mkostemp(char *name, int flags);
int pthread_setname_np(pthread_t thread, const char *name);
