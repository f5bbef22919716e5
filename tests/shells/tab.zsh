# Presses Tab at the end of each line of standard input, in an interactive shell on its own
# terminal. Prints the completed line, then the candidates (zsh only), then an empty line.
#
#   zsh -f tab.zsh bash|zsh COMPLETIONS WORK [SETUP]
#
# COMPLETIONS is a file for bash and a directory of files for zsh; WORK is an empty directory; SETUP
# is a line for the shell.
emulate -R zsh
zmodload zsh/zpty zsh/zselect || exit 2
shell=$1 completions=${2:a} work=${3:a}

# After Tab, another key binding writes the line to a file; the shell reads it after the completion.
case $shell in
bash)
    print -r -- "
        source ${(q)completions}
        bind 'set bell-style none'
        bind -x '\"\\C-xw\": printf \"%s\\n\" \"\$READLINE_LINE\" >${(q)work}/written && mv ${(q)work}/written ${(q)work}/line; READLINE_LINE='
    " >$work/setup
    zpty -b inner bash --norc --noprofile -i
    ;;
zsh)
    print -r -- "
        fpath=(${(q)completions} \$fpath)
        setopt nobeep
        LISTMAX=1000
        autoload -Uz compinit && compinit -u -D
        # compadd adds all candidates. With -O, -A or -D it only returns matches.
        compadd() {
            local word
            local -a fit
            for word; do
                case \$word in
                (-|--) break ;;
                (-[OAD]|-[a-zA-Z12][OAD]) fit=(no) ;;
                esac
            done
            if (( ! \$#fit )); then
                builtin compadd -O fit \"\$@\"
                print -rl -- \$fit >>${(q)work}/offered
            fi
            builtin compadd \"\$@\"
        }
        write-line() { print -r -- \"\$BUFFER\" >${(q)work}/written && mv ${(q)work}/written ${(q)work}/line; BUFFER= }
        zle -N write-line
        bindkey '^Xw' write-line
    " >$work/setup
    zpty -b inner zsh -f -i
    ;;
esac

# Waits for a file, and discards the output of the shell meanwhile.
await() {
    local output tries=0
    until [[ -e $1 ]]; do
        while zpty -rt inner output; do :; done
        (( tries++ < 500 )) || { print -ru2 -- "$shell does not answer: $2"; exit 2 }
        zselect -t 2
    done
}

print -r -- "$4" >>$work/setup
zpty -w inner "source ${(q)work}/setup; : >${(q)work}/ready"
await $work/ready 'the setup'
while IFS= read -r line; do
    rm -f $work/line $work/offered
    zpty -w -n inner "$line"$'\t\C-xw'
    await $work/line $line
    cat $work/line
    [[ ! -e $work/offered ]] || sort -u $work/offered | grep .
    print
done
zpty -d inner
