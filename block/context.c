/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where requests are submitted and end. There is one context for the main loop,
 * and one for each I/O thread with a disk; each has engines of its own, so that
 * nobody waits for another one's lock. Big lock held.
 */
#include "qemu/osdep.h"

#include "block-internal.h"

const BlockEngine *const block_engines[] = {
#ifdef CONFIG_LINUX_IO_URING
    &block_engine_uring,
#endif
    &block_engine_threads,
    NULL,
};

static BlockContext main_context = {
    .done_at_once = QTAILQ_HEAD_INITIALIZER(main_context.done_at_once),
    .batch = QTAILQ_HEAD_INITIALIZER(main_context.batch),
};
static QTAILQ_HEAD(, BlockContext) contexts =
    QTAILQ_HEAD_INITIALIZER(contexts);    /* of I/O threads */

BlockContext *block_context_main(void)
{
    return &main_context;
}

static BlockContext *find(const AioContext *aio)
{
    BlockContext *ctx;

    if (!aio) {
        return &main_context;
    }
    QTAILQ_FOREACH(ctx, &contexts, next) {
        if (ctx->aio == aio) {
            break;
        }
    }
    return ctx;
}

BlockContext *block_context_get(AioContext *aio)
{
    BlockContext *ctx = find(aio);

    if (!ctx) {
        ctx = g_new0(BlockContext, 1);
        ctx->aio = aio;
        QTAILQ_INIT(&ctx->done_at_once);
        QTAILQ_INIT(&ctx->batch);
        QTAILQ_INSERT_TAIL(&contexts, ctx, next);
    }
    ctx->users++;
    return ctx;
}

void block_context_put(BlockContext *ctx)
{
    g_assert(ctx->users);
    if (--ctx->users || !ctx->aio) {
        return;
    }
    for (const BlockEngine *const *e = block_engines; *e; e++) {
        (*e)->stop(ctx);
    }
    QTAILQ_REMOVE(&contexts, ctx, next);
    g_free(ctx);
}
