# SPDX-License-Identifier: GPL-2.0-or-later
# Completion for bash: options, from what sparsevm -help prints, and the words that
# go with some of them, from "help" as their argument.

_sparsevm_words() {
    local program=$1 previous=$2
    case $previous in
        -device) "$program" -device help ;;
        -object) "$program" -object help ;;
        -machine | -M) "$program" -machine help ;;
        -cpu) "$program" -cpu help ;;
        -accel) echo "kvm qtest" ;;
        *) "$program" -help | sed -n 's/^\(-[a-zA-Z-]*\).*/\1/p' ;;
    esac 2>/dev/null | sed 's/^name "\([^"]*\)".*/\1/; /:$/d; s/^ *\([^ ]*\) .*/\1/'
}

_sparsevm() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    case $previous in
        -bios | -pflash | -L | -option-rom | -kernel | -initrd | -pidfile | -D | -chroot)
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -f -- "$current")
            return ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$(_sparsevm_words "$1" "$previous")" \
        -- "$current")
}

complete -F _sparsevm sparsevm
