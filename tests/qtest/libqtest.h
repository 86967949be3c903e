/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drives an emulator as a guest and as a QMP client, in place of a CPU. It
 * shares no code with the emulator: what it says is the qtest and the QMP
 * protocol, so that the same tests run against QEMU, too.
 *
 * QTEST_QEMU_BINARY  the emulator; tests are skipped if it is not set
 * QTEST_ACCEL_ARGS   instead of "-accel qtest" or, for an emulator that does not
 *                    have it, "-accel tcg" with a firmware that halts
 * QTEST_LOG          if set, the protocol is shown on stderr
 * QTEST_TIMEOUT      seconds that any one wait may last; without it, what
 *                    tests/patience.h says
 *
 * Whatever goes wrong (a time-out, a malformed answer, a dead emulator) ends
 * the test with a message. Single threaded.
 */
#ifndef LIBQTEST_H
#define LIBQTEST_H

#include <glib.h>
#include <inttypes.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* --- waiting ------------------------------------------------------------- */

/* g_get_monotonic_time() at which a wait that begins now has lasted too long. */
gint64 qtest_deadline(void);
/* Whether @deadline is still to come; sleeps a little, longer each time. */
bool qtest_wait_more(gint64 deadline, unsigned *round);

/* Whether somebody listens at the UNIX socket @path; does not connect. */
bool qtest_is_listening(const char *path);

/* --- a stream of lines, with time-outs ----------------------------------- */

typedef struct LineReader {
    int fd;
    GString *buffer;
} LineReader;

void line_reader_init(LineReader *r, int fd);
void line_reader_destroy(LineReader *r);
/* The next line without its end, g_free(); NULL at the end of the stream. */
char *line_reader_read(LineReader *r);
/* Sends all of it. */
void line_reader_send(LineReader *r, const void *data, size_t len);

/* Whether the emulator is of a build with sanitizers, which filters no system calls
 * and locks no memory. */
#ifdef CONFIG_SANITIZERS
#define QTEST_SANITIZED true
#else
#define QTEST_SANITIZED false
#endif

/* --- the schema of QMP --------------------------------------------------- */

typedef struct QmpSchema QmpSchema;

/* What query-qmp-schema has returned. */
QmpSchema *qmp_schema_new(JsonArray *array);
void qmp_schema_free(QmpSchema *schema);
/* Ends the test unless @value is what @command may return ... */
void qmp_schema_check_return(const QmpSchema *schema, const char *command,
                             JsonNode *value);
/* ... or @event an event with the data that it may have. */
void qmp_schema_check_event(const QmpSchema *schema, JsonObject *event);

/* The entry @name of what query-qmp-schema has returned; ends the test if there is none. */
JsonObject *qmp_schema_entry(JsonNode *schema, const char *name);

/* --- QMP ----------------------------------------------------------------- */

/* A QMP client on one connection; events are kept until asked for. After the
 * handshake each reply and event must be what the schema says of it. */
typedef struct QmpClient QmpClient;

/* @fd: connected; owned from now on. Reads nothing yet. */
QmpClient *qmp_client_new(int fd);
/* Connects to the socket @path, which may take its time to appear. */
QmpClient *qmp_client_connect(const char *path);
void qmp_client_free(QmpClient *c);
void qmp_client_send(QmpClient *c, const char *text);
void qmp_client_send_bytes(QmpClient *c, const void *data, size_t len);
/* Sends @text with @n duplicates of @fd beside it. */
#define QMP_CLIENT_MAX_FDS 253            /* the kernel's limit */
void qmp_client_send_fds(QmpClient *c, const char *text, int fd, unsigned n);
/* Sends nothing more, and the emulator finds the end. */
void qmp_client_end_input(QmpClient *c);
/* Sends @text again and again until the emulator has taken nothing for a
 * while; how often it was sent as a whole. *rest: what is still to be sent of
 * the last one, or all of @text if nothing was begun. */
unsigned qmp_client_flood(QmpClient *c, const char *text, const char **rest);
/* The next line as it is, g_free(); NULL at the end. */
char *qmp_client_receive_line(QmpClient *c);
/* The next message of any kind, the caller's; NULL at the end. */
JsonObject *qmp_client_receive(QmpClient *c);
/* The next reply, the caller's; events before it are kept. */
JsonObject *qmp_client_reply(QmpClient *c);
/* Reads the greeting and negotiates. */
void qmp_client_handshake(QmpClient *c);
/* Waits for the event @name, the caller's; those before it are dropped. */
JsonObject *qmp_client_event(QmpClient *c, const char *name);
/* Whether @name is among the events that came before now; drops them all. */
unsigned qmp_client_count_events(QmpClient *c, const char *name);

/* Sends a formatted command and returns "return" (json_node_unref()); an
 * error fails the test. Single quotes may serve as double ones. */
JsonNode *qmp_client_do(QmpClient *c, const char *fmt, ...)
    G_GNUC_PRINTF(2, 3);
/* The same, of which an error of class @class is expected, whose description
 * holds @part. */
void qmp_client_expect_error(QmpClient *c, const char *class, const char *part,
                             const char *fmt, ...) G_GNUC_PRINTF(4, 5);

/* @reply must be an error of @class whose description holds @part. */
void qmp_assert_error(JsonObject *reply, const char *class, const char *part);
/* The connection must be alive and in step. */
void qmp_client_check_alive(QmpClient *c);

/* --- what the emulator can do: libqtest-emulator.c ----------------------- */

/* Whether the emulator, started with @option, which asks for help, prints @part
 * ("-object memory-backend-ram,help", "reserve"). */
bool qtest_emulator_has(const char *option, const char *part);
/* true: it does not, and the test that runs is skipped, saying so. */
bool qtest_skip_without(const char *option, const char *part);
/* Ends the program, of which all tests are skipped, if it does not; to be called
 * after qtest_main_init(). QTEST_NEEDS_SPARSEVM: what QEMU does otherwise, or says
 * in other words. */
void qtest_needs(const char *option, const char *part);
#define QTEST_NEEDS_SPARSEVM "-version", "sparsevm"
/* Whether it has -accel qtest, and is started with it. */
bool qtest_has_clock(void);
/* The options by which it runs no guest, g_free(). @firmware: where a firmware
 * that does nothing may be put, and then is. */
char *qtest_accel_args(const char *firmware);

/* --- the emulator -------------------------------------------------------- */

typedef struct QTestState QTestState;

/* Starts it with the formatted options (split as a shell does), connects and
 * negotiates QMP. It inherits descriptors that are not close-on-exec. */
QTestState *qtest_init(const char *fmt, ...) G_GNUC_PRINTF(1, 2);
/* Ends it by SIGTERM, which it must obey with exit status 0. */
void qtest_quit(QTestState *s);
/* Waits until it has ended by itself; its exit status; frees @s. */
int qtest_wait_exit(QTestState *s);
/* Ends it as a power cut would, and frees @s. */
void qtest_kill(QTestState *s);
pid_t qtest_pid(QTestState *s);
QmpClient *qtest_qmp(QTestState *s);
/* What the monitor for people says to a formatted line; g_free(). */
char *qtest_hmp(QTestState *s, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

/* What emulators say that are started between these two goes to a file, the
 * path of which is returned: g_unlink(), g_free(). */
char *qtest_begin_messages(void);
void qtest_end_messages(void);
/* How often @text is in what has been said so far. */
unsigned qtest_count_messages(const char *path, const char *text);
/* Waits until it is, at least once. */
void qtest_wait_message(const char *path, const char *text);

/* Sends a formatted line and returns the answer, g_free(). Interrupts that are
 * told before it are noted. */
char *qtest_line(QTestState *s, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
/* The same without the newline that ends a line, for parts of lines. */
void qtest_send_bytes(QTestState *s, const void *data, size_t len);
/* The next answer, g_free(). */
char *qtest_answer(QTestState *s);

uint8_t qtest_inb(QTestState *s, uint16_t port);
uint16_t qtest_inw(QTestState *s, uint16_t port);
uint32_t qtest_inl(QTestState *s, uint16_t port);
void qtest_outb(QTestState *s, uint16_t port, uint8_t value);
void qtest_outw(QTestState *s, uint16_t port, uint16_t value);
void qtest_outl(QTestState *s, uint16_t port, uint32_t value);
uint8_t qtest_readb(QTestState *s, uint64_t addr);
uint16_t qtest_readw(QTestState *s, uint64_t addr);
uint32_t qtest_readl(QTestState *s, uint64_t addr);
uint64_t qtest_readq(QTestState *s, uint64_t addr);
void qtest_writeb(QTestState *s, uint64_t addr, uint8_t value);
void qtest_writew(QTestState *s, uint64_t addr, uint16_t value);
void qtest_writel(QTestState *s, uint64_t addr, uint32_t value);
void qtest_writeq(QTestState *s, uint64_t addr, uint64_t value);
void qtest_memread(QTestState *s, uint64_t addr, void *data, size_t size);
void qtest_memwrite(QTestState *s, uint64_t addr, const void *data,
                    size_t size);
void qtest_memset(QTestState *s, uint64_t addr, uint8_t value, size_t size);
/* Moves the virtual clock by @ns; returns its new value. */
int64_t qtest_clock_step(QTestState *s, int64_t ns);
/* Intercepts the inputs of the device at @path. */
void qtest_irq_intercept_in(QTestState *s, const char *path);
/* The level of an intercepted line, as far as has been told. */
bool qtest_get_irq(QTestState *s, int n);

/* --- QMP on properties --------------------------------------------------- */

uint64_t qtest_qom_get_uint(QTestState *s, const char *path,
                            const char *property);
void qtest_qom_set_uint(QTestState *s, const char *path, const char *property,
                        uint64_t value);

/* --- a test program ------------------------------------------------------ */

/* g_test_init(); skips all, with a reason, if there is no emulator. */
void qtest_main_init(int *argc, char ***argv);
/* A seed from the environment's SEED, or a new one; prints it. */
GRand *qtest_rand_new(void);

#endif
