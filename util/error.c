/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Error objects (qapi/error.h): GErrors of one domain whose code is the QMP
 * class. Used by everybody; knows nobody. It must never print, except for the
 * two destinations that end the program.
 */
#include "qemu/osdep.h"

#include "qapi/error.h"
#include "qemu/error-report.h"

/* Only their addresses count; they always hold NULL. */
Error *error_abort;
Error *error_fatal;

static const char *const error_class_names[] = {
    [ERROR_CLASS_GENERIC_ERROR] = "GenericError",
    [ERROR_CLASS_COMMAND_NOT_FOUND] = "CommandNotFound",
    [ERROR_CLASS_DEVICE_NOT_ACTIVE] = "DeviceNotActive",
    [ERROR_CLASS_DEVICE_NOT_FOUND] = "DeviceNotFound",
    [ERROR_CLASS_KVM_MISSING_CAP] = "KVMMissingCap",
};

/* As G_DEFINE_QUARK(), for any thread. */
static GQuark error_domain_quark(void)
{
    static GQuark quark;
    GQuark q = __atomic_load_n(&quark, __ATOMIC_RELAXED);

    if (!q) {
        q = g_quark_from_static_string("sparsevm-error");
        __atomic_store_n(&quark, q, __ATOMIC_RELAXED);
    }
    return q;
}

/* Hands @err to whoever waits at @errp, or ends the program as it demands. */
static void error_deliver(Error **errp, Error *err)
{
    if (errp == &error_abort) {
        error_report("unexpected error: %s", err->message);
        abort();
    }
    if (errp == &error_fatal) {
        error_report_err(err);
        exit(EXIT_FAILURE);
    }
    if (!errp) {
        g_error_free(err);
        return;
    }
    g_assert(!*errp);
    *errp = err;
}

static void G_GNUC_PRINTF(4, 0)
error_setv(Error **errp, ErrorClass err_class, int os_errno, const char *fmt,
           va_list ap)
{
    int saved_errno = errno;
    Error *err = g_error_new_valist(error_domain_quark(), err_class, fmt, ap);

    if (os_errno) {
        g_autofree char *text = err->message;

        err->message = g_strdup_printf("%s: %s", text, g_strerror(os_errno));
    }
    error_deliver(errp, err);
    errno = saved_errno;
}

void error_setg(Error **errp, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    error_setv(errp, ERROR_CLASS_GENERIC_ERROR, 0, fmt, ap);
    va_end(ap);
}

void error_setg_errno(Error **errp, int os_errno, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    error_setv(errp, ERROR_CLASS_GENERIC_ERROR, abs(os_errno), fmt, ap);
    va_end(ap);
}

void error_set(Error **errp, ErrorClass err_class, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    error_setv(errp, err_class, 0, fmt, ap);
    va_end(ap);
}

void error_prepend(Error *const *errp, const char *fmt, ...)
{
    g_autoptr(GString) text = g_string_new(NULL);
    va_list ap;

    va_start(ap, fmt);
    g_string_vprintf(text, fmt, ap);
    va_end(ap);
    if (errp && *errp) {
        g_string_append(text, (*errp)->message);
        g_free((*errp)->message);
        (*errp)->message = g_strdup(text->str);
    }
}

void error_propagate(Error **dst_errp, Error *local_err)
{
    if (local_err) {
        if (dst_errp && *dst_errp) {
            /* The first error is the one to tell. */
            g_error_free(local_err);
            return;
        }
        error_deliver(dst_errp, local_err);
    }
}

const char *error_get_pretty(const Error *err)
{
    return err->message;
}

ErrorClass error_get_class(const Error *err)
{
    /* A GError of GLib's own making is nothing that QMP has a class for. */
    return err->domain == error_domain_quark() ? (ErrorClass)err->code
                                               : ERROR_CLASS_GENERIC_ERROR;
}

const char *error_class_str(ErrorClass err_class)
{
    g_assert(err_class < ARRAY_SIZE(error_class_names));
    return error_class_names[err_class];
}

Error *error_copy(const Error *err)
{
    return g_error_copy(err);
}

void error_free(Error *err)
{
    g_clear_error(&err);
}

void error_free_or_abort(Error **errp)
{
    g_assert(errp && *errp);
    g_clear_error(errp);
}

void error_report_err(Error *err)
{
    error_report("%s", err->message);
    g_error_free(err);
}

void warn_report_err(Error *err)
{
    warn_report("%s", err->message);
    g_error_free(err);
}
