#compdef lowlat
# Completion of lowlat for zsh; `lowlat completion zsh` prints it.

_lowlat() {
    local line
    local -a lines values
    lines=("${(@f)$("${~words[1]}" _complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    # What comes after --option= is completed alone.
    [[ $words[CURRENT] == --*=* ]] && compset -P '*='
    for line in "${(@)lines[2,-1]}"; do
        values+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    done
    (( $#values )) && _describe -V 'lowlat' values
    case $lines[1] in
        files) _files ;;
        folders) _files -/ ;;
        commands) _command_names -e ;;
    esac
}

if [[ $funcstack[1] == _lowlat ]]; then
    _lowlat "$@"
else
    compdef _lowlat lowlat
fi
