# Completions of anyvpn for fish.
function __anyvpn_complete
    set -l word (commandline --current-token --cut-at-cursor)
    set -l before (commandline --current-process --tokenize --cut-at-cursor)
    set -l lines (printf '%s\n' $before "$word" | command anyvpn complete 2>/dev/null)
    if string match --quiet '*:files' -- $lines[1]
        set -l option (string match --regex -- '^-[^=]*=' "$word")
        for path in (__fish_complete_path (string replace -- "$option" '' "$word"))
            printf '%s%s\n' "$option" $path
        end
    else
        printf '%s\n' $lines
    end
end
complete --command anyvpn --no-files --keep-order --arguments '(__anyvpn_complete)'
