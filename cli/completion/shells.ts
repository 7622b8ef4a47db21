/**
 * What a shell is taught once: a few lines that call `clustral __complete` and hand its answers on. All that can change is asked of the tool each time, so
 * that an upgrade needs no new script. `:files` in an answer means that the shell completes paths itself.
 */

/** The shells that there is a script for. */
export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** The script for a shell, and how it is put to use. */
export const scripts: Readonly<Record<Shell, { readonly script: string; readonly use: string }>> = {
  bash: {
    use: `eval "$(clustral completion bash)"   # in ~/.bashrc`,
    script: `# Completion of clustral for bash.
_clustral() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      compopt -o default 2>/dev/null || COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
      return
    fi
    COMPREPLY+=("\${line%%$'\\t'*}")
  done < <(clustral __complete --bash -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _clustral clustral
`,
  },
  zsh: {
    use: `eval "$(clustral completion zsh)"   # in ~/.zshrc`,
    script: `#compdef clustral
# Completion of clustral for zsh.
_clustral() {
  local line
  local -a described
  for line in "\${(@f)$(clustral __complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -z $line ]] && continue
    if [[ $line == :files ]]; then
      _files
      return
    fi
    described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  (( $#described )) && _describe clustral described
}
if [[ $funcstack[1] == _clustral ]]; then
  _clustral "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
  compdef _clustral clustral
fi
`,
  },
  fish: {
    use: 'clustral completion fish > ~/.config/fish/completions/clustral.fish',
    script: `# Completion of clustral for fish.
function __clustral_complete
  set -l before (commandline -opc)
  set -l current (commandline -ct)
  set -e before[1]
  set -l answer (clustral __complete -- $before "$current" 2>/dev/null)
  if test "$answer[1]" = ":files"
    __fish_complete_path "$current"
  else
    string join \\n -- $answer
  end
end
complete -c clustral -f -a '(__clustral_complete)'
`,
  },
};
