#pragma once
// What Swift's Glibc module leaves out: it does not cover these two headers.
#include <sys/epoll.h>
#include <sys/eventfd.h>
