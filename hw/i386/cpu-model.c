/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the CPU models host and max are on this host (cpu-model.h), as KVM tells
 * it; the same whether or not there are CPUs.
 */
#include "qemu/osdep.h"

#include "cpu-model.h"
#include "qapi/error.h"
#include "sysemu/kvm-x86.h"

/* The bits of CPUID 1 EAX (Intel SDM volume 2, CPUID). */
static unsigned family_of(uint32_t signature)
{
    unsigned family = signature >> 8 & 0xf;

    return family == 0xf ? family + (signature >> 20 & 0xff) : family;
}

static unsigned model_of(uint32_t signature)
{
    return (signature >> 4 & 0xf) | (signature >> 12 & 0xf0);
}

/* What a CPU is, rather than what it can do: not to be chosen. */
static bool is_identity(const char *name)
{
    static const char *const names[] = {
        "family", "model", "stepping", "vendor", NULL
    };

    return g_strv_contains(names, name);
}

/* "a=on,b=off": the features that @props chooses; g_free(). NULL: *errp. */
static char *features_text(JsonObject *props, Error **errp)
{
    g_autoptr(GString) text = g_string_new(NULL);
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;

    json_object_iter_init(&iter, props);
    while (json_object_iter_next(&iter, &name, &node)) {
        if (is_identity(name)) {
            continue;
        }
        if (!JSON_NODE_HOLDS_VALUE(node) ||
            json_node_get_value_type(node) != G_TYPE_BOOLEAN) {
            error_setg(errp, "Invalid parameter type for 'model.props.%s', "
                       "expected: boolean", name);
            return NULL;
        }
        g_string_append_printf(text, "%s%s=%s", text->len ? "," : "", name,
                               json_node_get_boolean(node) ? "on" : "off");
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* Turns on and off in @host what @props says. */
static bool choose_features(X86HostCpu *host, JsonObject *props, Error **errp)
{
    g_autofree char *text = features_text(props, errp);
    X86CpuFeatures features;

    if (!text || !x86_cpu_features_parse(&features, text, errp)) {
        return false;
    }
    for (unsigned w = 0; w < X86_FEATURE_WORDS; w++) {
        uint32_t missing = features.on[w] & ~host->words[w];

        if (missing) {
            error_setg(errp, "-cpu: KVM on this host does not support '%s'",
                       x86_cpu_feature_name(w, __builtin_ctz(missing)));
            return false;
        }
        host->words[w] &= ~features.off[w];
    }
    return true;
}

static JsonObject *describe(const X86HostCpu *host)
{
    JsonObject *props = json_object_new();

    json_object_set_string_member(props, "vendor", host->vendor);
    json_object_set_int_member(props, "family", family_of(host->signature));
    json_object_set_int_member(props, "model", model_of(host->signature));
    json_object_set_int_member(props, "stepping", host->signature & 0xf);
    for (unsigned w = 0; w < X86_FEATURE_WORDS; w++) {
        for (unsigned bit = 0; bit < 32; bit++) {
            const char *name = x86_cpu_feature_name(w, bit);

            if (name) {
                json_object_set_boolean_member(props, name,
                                               host->words[w] >> bit & 1);
            }
        }
    }
    return props;
}

JsonObject *x86_cpu_model_expand(const char *model, JsonObject *props,
                                 Error **errp)
{
    X86HostCpu host;

    if (strcmp(model, "host") != 0 && strcmp(model, "max") != 0) {
        error_setg(errp, "no CPU model '%s'; possible: host, max", model);
        return NULL;
    }
    if (!kvm_enabled()) {
        error_setg(errp, "what a CPU model is, KVM tells, and it is not in use");
        return NULL;
    }
    host = *kvm_x86_host_cpu(kvm_state);
    return !props || choose_features(&host, props, errp) ? describe(&host)
                                                         : NULL;
}

/* --- for -cpu --- */

bool x86_cpu_model_check(MachineState *machine, const char *model,
                         const char *features, Error **errp)
{
    X86CpuFeatures parsed;

    if (strcmp(model, "host") != 0 && strcmp(model, "max") != 0) {
        error_setg(errp, "no CPU model '%s'; possible: host, max", model);
        return false;
    }
    return x86_cpu_features_parse(&parsed, features, errp);
}

void x86_cpu_models_list(void)
{
    printf("CPU models:\n"
           "  host   what KVM on this host can do\n"
           "  max    the same\n"
           "Features, each to be turned on or off (MODEL,+a,-b,c=off):\n");
    x86_cpu_features_list();
}
