# Completion of lowlat for fish; `lowlat completion fish` prints it.

function __lowlat_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l lines (command $words[1] _complete -- $words[2..] "$current" 2>/dev/null)
    # Fish completes whole words: --option= stays in front of a value.
    set -l option (string match -r -- '^--[^=]+=' "$current")
    set -l value (string replace -- "$option" '' "$current")
    for line in $lines[2..]
        echo "$option$line"
    end
    switch "$lines[1]"
        case files
            __fish_complete_path "$value" | string replace -r '^' -- "$option"
        case folders
            __fish_complete_directories "$value" '' | string replace -r '^' -- "$option"
        case commands
            complete -C "$value"
    end
end

complete -c lowlat -f -a '(__lowlat_complete)'
