# Completion of lowlat for bash; `lowlat completion bash` prints it.

_lowlat() {
    local current=${COMP_WORDS[COMP_CWORD]} line values=()
    # Bash splits --option=value at the sign, and completes what comes after it.
    [[ $current == = ]] && current=
    mapfile -t values < <("${1/#\~/$HOME}" _complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    COMPREPLY=()
    for line in "${values[@]:1}"; do
        COMPREPLY+=("${line%%$'\t'*}")
    done
    case ${values[0]} in
        files) mapfile -t values < <(compgen -f -- "$current") ;;
        folders) mapfile -t values < <(compgen -d -- "$current") ;;
        commands) mapfile -t values < <(compgen -c -- "$current") ;;
        *) return ;;
    esac
    compopt -o filenames
    COMPREPLY+=("${values[@]}")
}

complete -F _lowlat lowlat
