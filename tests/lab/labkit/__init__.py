# SPDX-License-Identifier: GPL-2.0-or-later
"""What the lab is made of; docs/lab.md tells how the parts play together.

On the host:     images (kernel, initramfs, drive), machine (the lab machine).
Where KVM is:    runner (scenarios one by one), vm (one run of the emulator),
                 qmp, vfio (who drives a PCI device), report (what is printed),
                 pace (how long anything may take), identity (what a guest is told
                 of itself).
"""
