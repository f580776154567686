# Completions of anyvpn for bash.
_anyvpn() {
    # bash parts words at = and : as well. What stands together is one word here.
    local rest=${COMP_LINE:0:COMP_POINT} words=() last=-1 index part
    for ((index = 0; index <= COMP_CWORD; index++)); do
        part=${COMP_WORDS[index]}
        if ((index == COMP_CWORD)) && [[ $part != [=:@]* ]]; then
            part=$2
        fi
        if ((last < 0)) || [[ $rest == [[:blank:]]* ]]; then
            words[++last]=$part
        else
            words[last]+=$part
        fi
        rest=${rest#*"$part"}
    done
    local before=${words[last]%"$2"} value about
    COMPREPLY=()
    while IFS=$'\t' read -r value about; do
        case $value in
        *:files) compopt -o default 2>/dev/null ;;
        *)
            COMPREPLY+=("${value#"$before"}")
            [[ $value == *[=@] ]] && compopt -o nospace 2>/dev/null
            ;;
        esac
    done < <(printf '%s\n' "${words[@]}" | anyvpn complete 2>/dev/null)
}
complete -F _anyvpn anyvpn
