/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the thread sanitizer has to be told; only builds with it have this.
 *
 * GLib's locks are futexes inside a library that is not built with it, so that it
 * would see neither who holds one nor what came before what. The linker sends each
 * call of ours through here (--wrap). It must not change what the locks do.
 */
#include "qemu/osdep.h"

#include <sanitizer/tsan_interface.h>

/* A lock that is all zeros works without g_mutex_init(). */
#define MUTEX_FLAGS __tsan_mutex_linker_init

void __real_g_mutex_lock(GMutex *mutex);
void __real_g_mutex_unlock(GMutex *mutex);
void __real_g_mutex_clear(GMutex *mutex);
void __real_g_cond_wait(GCond *cond, GMutex *mutex);
gboolean __real_g_atomic_ref_count_dec(gatomicrefcount *count);

void __wrap_g_mutex_lock(GMutex *mutex);
void __wrap_g_mutex_unlock(GMutex *mutex);
void __wrap_g_mutex_clear(GMutex *mutex);
void __wrap_g_cond_wait(GCond *cond, GMutex *mutex);
gboolean __wrap_g_atomic_ref_count_dec(gatomicrefcount *count);
const char *__tsan_default_suppressions(void);

void __wrap_g_mutex_lock(GMutex *mutex)
{
    __tsan_mutex_pre_lock(mutex, MUTEX_FLAGS);
    __real_g_mutex_lock(mutex);
    __tsan_mutex_post_lock(mutex, MUTEX_FLAGS, 0);
}

void __wrap_g_mutex_unlock(GMutex *mutex)
{
    __tsan_mutex_pre_unlock(mutex, 0);
    __real_g_mutex_unlock(mutex);
    __tsan_mutex_post_unlock(mutex, 0);
}

void __wrap_g_mutex_clear(GMutex *mutex)
{
    __tsan_mutex_destroy(mutex, MUTEX_FLAGS);
    __real_g_mutex_clear(mutex);
}

/* Who is woken up has the lock again, which is what orders the two threads. */
void __wrap_g_cond_wait(GCond *cond, GMutex *mutex)
{
    __tsan_mutex_pre_unlock(mutex, 0);
    __tsan_mutex_post_unlock(mutex, 0);
    __real_g_cond_wait(cond, mutex);
    __tsan_mutex_pre_lock(mutex, MUTEX_FLAGS);
    __tsan_mutex_post_lock(mutex, MUTEX_FLAGS, 0);
}

/* What everybody did before they let go is before what the last one does. */
gboolean __wrap_g_atomic_ref_count_dec(gatomicrefcount *count)
{
    __tsan_release(count);
    if (!__real_g_atomic_ref_count_dec(count)) {
        return false;
    }
    __tsan_acquire(count);
    return true;
}

/*
 * Reports that are no faults:
 * - mapping_put_zeros: a file has been cut, and zeros take the place of what is
 *   gone while other threads read there; which is what it is for.
 * - access_ram: what a test that plays the guest reads and writes in the guest's
 *   memory is no more ordered than what a CPU does; I/O threads look at rings at
 *   the same time.
 * - g_rw_lock_*: GLib makes the lock behind one when it is first used, and hands it
 *   on by an atomic pointer, which is not seen (every GError).
 * - g_slice_*: what one thread has freed another is given, under a lock of GLib's
 *   own (each JsonNode of two threads that parse).
 */
const char *__tsan_default_suppressions(void)
{
    return "race:mapping_put_zeros\n"
           "race:access_ram\n"
           "race:g_rw_lock_\n"
           "race:g_slice_\n";
}
