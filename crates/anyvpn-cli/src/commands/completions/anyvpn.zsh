#compdef anyvpn
# Completions of anyvpn for zsh.
_anyvpn() {
    local -a lines values open
    local line value about
    lines=("${(@f)$(print -rl -- "${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" |
        anyvpn complete 2>/dev/null)}")
    for line in "$lines[@]"; do
        value=${line%%$'\t'*} about=${line#$value}
        # A colon ends the word and begins what it means.
        line="${value//:/\\:}${about/$'\t'/:}"
        case $value in
        '') ;;
        *:files)
            compset -P '-*='
            _files
            return
            ;;
        *[=@]) open+=("$line") ;;
        *) values+=("$line") ;;
        esac
    done
    (($#values)) && _describe -V anyvpn values
    (($#open)) && _describe -V anyvpn open -S ''
}
if [[ $funcstack[1] == _anyvpn ]]; then
    _anyvpn "$@"
else
    compdef _anyvpn anyvpn
fi
