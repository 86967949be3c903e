# SPDX-License-Identifier: GPL-2.0-or-later
#
# A thin front of configure, ninja and the test runners.
#
#   make                  build; configure first if that was not done
#   make run              grow and shrink a real guest with a passed-through drive;
#                         leaves a map of its memory and a chart
#   make check            all tests; check-unit, check-qtest, check-kvm, check-lab:
#                         some of them; check-quick: all but the lab
#   make coverage         which lines of the core unit and qtest reach, in build-coverage
#   make fuzz             libFuzzer on each target of tests/fuzz, in build-fuzz;
#                         TARGET=NAME: on one; SECONDS=N: for so long each (60)
#   make check-tsan       unit, qtest and kvm with the thread sanitizer, in build-tsan
#   make stress           a million plugs, and the like: is anything left behind?
#   make bench            the benchmarks, beside QEMU; writes build/bench; QUICK=1: a
#                         look, without those in the lab, which take long
#   make bench-inflate    how fast a guest's memory comes and goes, in the lab; DIRECT=ADDRESS:
#                         on this machine, with its drive at that PCI address
#   make bench-footprint  what stays pinned while a guest works, in the lab
#   make bench-check      instructions of a request against the recorded ones
#   make docs             bring the pages that the program prints up to date
#   make install          honours DESTDIR and PREFIX; make uninstall: the reverse
#   make dist             build/sparsevm-VERSION.tar.gz of what is committed
#   make help             this
#   make clean distclean
#
# V=1 shows the commands. SANITIZE=1 builds and checks with the address and the
# undefined behaviour sanitizer, in build-sanitize; check then leaves the lab out.
# docs/testing.md says more.

ifneq ($(SANITIZE),)
BUILD := build-sanitize
CONFIGURE_FLAGS := --enable-sanitizers
CHECK_FLAGS := --patience 4
CHECK_SUITES := unit qtest kvm fuzz
else ifneq ($(FUZZING),)
BUILD := build-fuzz
CONFIGURE_FLAGS := --enable-fuzzing --cc="$(or $(FUZZ_CC),clang)"
else ifneq ($(TSAN),)
BUILD := build-tsan
CONFIGURE_FLAGS := --enable-tsan
CHECK_FLAGS := --patience 4
else ifneq ($(COVERAGE),)
BUILD := build-coverage
CONFIGURE_FLAGS := --enable-debug --enable-coverage
CHECK_FLAGS := --patience 4
CHECK_SUITES := unit qtest
else
BUILD := build
CONFIGURE_FLAGS :=
CHECK_FLAGS :=
CHECK_SUITES := unit qtest kvm fuzz lab
endif

Q := $(if $(V),,@)
NINJA := ninja -C $(BUILD) $(if $(V),-v)
RUN_CHECKS := tests/run-checks --build $(BUILD) $(if $(V),--verbose) $(CHECK_FLAGS)
COVERED := softmmu hw/virtio hw/vfio
VMM ?= $(BUILD)/sparsevm
BENCHES := start-up $(if $(wildcard /dev/kvm),firmware) requests net disk mappings \
    replay populate \
    $(if $(QUICK),,lab-bench pinned-start inflate interference footprint)

.PHONY: all deps run check check-quick check-unit check-qtest check-kvm check-lab \
        check-fuzz check-tsan run-tsan fuzz run-fuzz stress \
        coverage print-coverage bench bench-inflate \
        bench-footprint bench-check docs install uninstall dist \
        help clean distclean
.NOTPARALLEL:

all: $(BUILD)/build.ninja
	$(Q)$(NINJA)

$(BUILD)/build.ninja:
	$(Q)./configure --build-dir=$(BUILD) $(CONFIGURE_FLAGS)

deps:
	$(Q)scripts/install-deps --check

run: deps $(BUILD)/build.ninja
	$(Q)$(NINJA) sparsevm
	$(Q)VMM="$${VMM:-$(BUILD)/sparsevm}" tests/lab/lab grow
	@echo "guest memory while it was grown:  build/lab/out/memory-map.png"
	@echo "plugged against pinned over time: build/lab/out/plugged-and-pinned.svg"

check: deps all
	$(Q)$(RUN_CHECKS) $(CHECK_SUITES)

check-quick: deps all
	$(Q)$(RUN_CHECKS) $(filter-out lab,$(CHECK_SUITES))

check-unit: deps all
	$(Q)$(RUN_CHECKS) unit

check-qtest: deps all
	$(Q)$(RUN_CHECKS) qtest

check-kvm: deps all
	$(Q)$(RUN_CHECKS) kvm

check-lab: deps all
	$(Q)$(RUN_CHECKS) lab

check-fuzz: deps all
	$(Q)$(RUN_CHECKS) fuzz

fuzz:
	$(Q)scripts/install-deps --fuzz
	$(Q)$(MAKE) --no-print-directory FUZZING=1 run-fuzz

run-fuzz: $(BUILD)/build.ninja
	$(Q)$(NINJA) fuzz-targets
	$(Q)tests/fuzz/run --build $(BUILD) --seconds $(or $(SECONDS),60) $(TARGET)

stress: deps all
	$(Q)QTEST_QEMU_BINARY=$(VMM) $(BUILD)/tests/stress/stress

check-tsan: deps
	$(Q)$(MAKE) --no-print-directory TSAN=1 run-tsan

run-tsan: all
	$(Q)$(RUN_CHECKS) unit qtest kvm

coverage:
	$(Q)scripts/install-deps --coverage
	$(Q)$(MAKE) --no-print-directory COVERAGE=1 print-coverage

print-coverage: all
	$(Q)find $(BUILD) -name '*.gcda' -delete
	$(Q)$(RUN_CHECKS) $(CHECK_SUITES)
	$(Q)tests/coverage --build $(BUILD) $(COVERED)

bench: deps all
	$(Q)set -e; for bench in $(BENCHES); do \
	    echo; echo "$$bench:"; \
	    tests/bench/$$bench --vmm $(VMM) --build $(BUILD) --out $(BUILD)/bench \
	        $(if $(QUICK),--quick); \
	done
	$(Q)echo; ls $(BUILD)/bench/*.json $(BUILD)/bench/*.svg

bench-inflate bench-footprint: bench-%: deps all
	$(Q)tests/bench/$* --vmm $(VMM) --build $(BUILD) --out $(BUILD)/bench \
	    $(if $(QUICK),--quick) $(if $(DIRECT),--direct $(DIRECT))

bench-check: deps all
	$(Q)scripts/install-deps --bench
	$(Q)tests/bench/instructions --vmm $(VMM) --build $(BUILD)

docs: all
	$(Q)$(BUILD)/docs/qmp-reference > docs/qmp-reference.md.new
	$(Q)mv docs/qmp-reference.md.new docs/qmp-reference.md
	$(Q)scripts/sandbox-calls $(BUILD)/sparsevm > docs/sandbox-calls.md.new
	$(Q)mv docs/sandbox-calls.md.new docs/sandbox-calls.md

INSTALL_TREE = scripts/install-tree $(if $(PREFIX),--prefix $(PREFIX)) \
    $(if $(DESTDIR),--destdir $(DESTDIR)) $(BUILD)

install: all
	$(Q)$(INSTALL_TREE)

uninstall: $(BUILD)/build.ninja
	$(Q)$(INSTALL_TREE) --uninstall

dist: $(BUILD)/build.ninja
	$(Q)version=$$(sed -n "s/^project(.* version: '\([^']*\)'.*/\1/p" meson.build); \
	    git archive --prefix=sparsevm-$$version/ \
	        -o $(BUILD)/sparsevm-$$version.tar.gz HEAD && \
	    echo $(BUILD)/sparsevm-$$version.tar.gz

help:
	@sed -n '/^#   make  /,/^$$/s/^# \{0,3\}//p' Makefile

clean:
	$(Q)[ ! -e $(BUILD)/build.ninja ] || $(NINJA) -t clean

distclean:
	$(Q)rm -rf build build-sanitize build-coverage build-fuzz build-tsan
