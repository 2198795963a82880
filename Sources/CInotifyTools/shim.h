#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <inotifytools/inotifytools.h>

/// The next event if one is there, else NULL at once. next_event(0) would wait for ever: the library turns 0 into -1.
/// The event is overwritten by the next call.
static inline struct inotify_event *cinotify_waiting_event(void) { return inotifytools_next_events(0, 1); }
