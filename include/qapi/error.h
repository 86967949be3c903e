/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors on their way to a person: a GError behind QEMU's names.
 *
 * A function that can fail takes `Error **errp` last and returns false, NULL
 * or -errno when it fails, having set *errp. errp may be NULL (nobody wants to
 * know), &error_abort (failure is a bug here: abort) or &error_fatal (failure
 * ends the program: message, exit status 1). Who receives an Error owns it:
 * it passes it on with error_propagate(), prints it with error_report_err(),
 * or ends it with error_free(). Messages have no full stop and no newline.
 *
 * Thread-safe: an Error belongs to one thread at a time.
 */
#ifndef QAPI_ERROR_H
#define QAPI_ERROR_H

/* Classes that a QMP client may tell apart; the order is not an interface. */
typedef enum ErrorClass {
    ERROR_CLASS_GENERIC_ERROR,
    ERROR_CLASS_COMMAND_NOT_FOUND,
    ERROR_CLASS_DEVICE_NOT_ACTIVE,
    ERROR_CLASS_DEVICE_NOT_FOUND,
    ERROR_CLASS_KVM_MISSING_CAP,
} ErrorClass;

extern Error *error_abort;
extern Error *error_fatal;

/* Sets *errp to a new generic error. *errp must be NULL before. */
void error_setg(Error **errp, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
/* The same, with ": " and strerror(@os_errno) after it (none if it is 0). */
void error_setg_errno(Error **errp, int os_errno, const char *fmt, ...)
    G_GNUC_PRINTF(3, 4);
/* The same as error_setg(), with a class. */
void error_set(Error **errp, ErrorClass err_class, const char *fmt, ...)
    G_GNUC_PRINTF(3, 4);
/* Puts text before the message of *errp; nothing if there is no error. */
void error_prepend(Error *const *errp, const char *fmt, ...)
    G_GNUC_PRINTF(2, 3);
/* Hands @local_err (may be NULL), and its ownership, to @dst_errp. */
void error_propagate(Error **dst_errp, Error *local_err);

/* The message of @err; lives as long as @err. */
const char *error_get_pretty(const Error *err);
ErrorClass error_get_class(const Error *err);
/* The name of the class as QMP spells it, e.g. "GenericError". */
const char *error_class_str(ErrorClass err_class);
Error *error_copy(const Error *err);
void error_free(Error *err);
/* Frees *errp and aborts if there is no error: a test's assertion. */
void error_free_or_abort(Error **errp);
/* Prints "sparsevm: MESSAGE" (see qemu/error-report.h) and frees @err. */
void error_report_err(Error *err);
void warn_report_err(Error *err);

/*
 * First line of a function that looks at *errp itself or appends to it: makes
 * errp usable even if the caller passed NULL or &error_fatal.
 */
#define ERRP_GUARD()                                                         \
    __attribute__((cleanup(error_guard_end)))                                \
    ErrorGuard errp_guard_ = { .to = errp };                                 \
    errp = (!errp || errp == &error_fatal || errp == &error_abort)           \
               ? &errp_guard_.caught : errp

typedef struct ErrorGuard {
    Error *caught;                        /* NULL: nothing, or it is in *to */
    Error **to;                           /* the caller's */
} ErrorGuard;

static inline void error_guard_end(ErrorGuard *guard)
{
    error_propagate(guard->to, guard->caught);
}

#endif
