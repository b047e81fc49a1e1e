/** Shell completion scripts, generated from the command tree. */
import { NIC_SPECS } from "../../mod.ts";
import type { CommandUnknownOpts } from "./commander.ts";

/** The shells that there are scripts for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

interface Flag {
  readonly names: readonly string[];
  readonly description: string;
  readonly takesValue: boolean;
  /** Its values, where they can be listed. */
  readonly values: readonly string[];
  /** Whether its value is a file, as its name says. */
  readonly takesFile: boolean;
}

interface Branch {
  readonly name: string;
  readonly description: string;
  readonly flags: readonly Flag[];
  /** What an argument may be, where that is known. */
  readonly words: readonly string[];
  /** Whether an argument is a file. */
  readonly takesFile: boolean;
}

/** Values of options, or how they begin, where the options do not list them as their choices. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  "--nic": NIC_SPECS.map(({ form }) => form.slice(0, form.indexOf(":") + 1)),
  "--addr": ["dhcp", "slaac", "link-local"],
};

/** The script for a shell. */
export function completionScript(program: CommandUnknownOpts, shell: Shell): string {
  const name = program.name();
  const branches = program.commands.map(branch);
  if (shell === "bash") return bash(name, branches);
  return shell === "zsh" ? zsh(name, branches) : fish(name, branches);
}

function branch(command: CommandUnknownOpts): Branch {
  const help: Flag = {
    names: ["-h", "--help"],
    description: "show help",
    takesValue: false,
    values: [],
    takesFile: false,
  };
  const flags = command.options.filter((option) => !option.hidden).map((option): Flag => ({
    names: [option.short, option.long].filter((text) => text !== undefined && text !== null),
    description: option.description,
    takesValue: option.required || option.optional,
    values: option.argChoices ?? VALUES[option.long ?? ""] ?? [],
    takesFile: /<(file|path)>/.test(option.flags),
  }));
  return {
    name: command.name(),
    description: command.description(),
    flags: [...flags, help],
    words: command.registeredArguments.flatMap((argument) => argument.argChoices ?? []),
    takesFile: command.registeredArguments.some((argument) => argument.name() === "file"),
  };
}

function bash(name: string, branches: readonly Branch[]): string {
  const cases = branches.map(({ name: command, flags, words, takesFile }) => {
    const valued = flags.filter((flag) => flag.takesValue).flatMap((flag) => flag.names).join("|");
    const all = [...words, ...flags.flatMap((flag) => flag.names)].join(" ");
    return `    ${command}) valued="${valued}" words="${all}"${takesFile ? " files=yes" : ""} ;;`;
  });
  // An option has the same values wherever it is.
  const listed = new Map(
    branches.flatMap(({ flags }) => flags.filter(({ values }) => values.length > 0))
      .map(({ names, values }) => [names.join("|"), values.join(" ")]),
  );
  const files = new Set(
    branches.flatMap(({ flags }) => flags.filter(({ takesFile }) => takesFile))
      .flatMap(({ names }) => names),
  );
  const values = [...listed].map(([options, list]) => {
    return `    ${options}) COMPREPLY=($(compgen -W "${list}" -- "$current")); return ;;`;
  });
  return `# bash completion for ${name}: source this file, or "source <(${name} completion bash)"
_${name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" valued words files=
  # bash takes a colon for the end of a word: put "--nic tap:tap0" together again.
  if [[ "$current" == ":" ]]; then current="$previous:"; previous="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W "${branches.map((one) => one.name).join(" ")} --help --version" -- "$current"))
    return
  fi
  case "$previous" in
${values.join("\n")}
    ${[...files].join("|")}) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
    *) return ;;
  esac
  if [[ -n "$valued" && "|$valued|" == *"|$previous|"* ]]; then return; fi
  COMPREPLY=($(compgen \${files:+-f} -W "$words" -- "$current"))
}
complete -F _${name} ${name}
`;
}

function zsh(name: string, branches: readonly Branch[]): string {
  const quote = (text: string) => text.replaceAll("'", "'\\''");
  const plain = (text: string) => quote(text.replaceAll(/[[\]:]/g, (sign) => `\\${sign}`));
  const commands = branches.map((one) => `    '${one.name}:${quote(one.description)}'`);
  const cases = branches.map(({ name: command, flags, words, takesFile }) => {
    const specs = flags.flatMap(({ names, description, takesValue, takesFile, values: list }) =>
      names.map((flag) => {
        const values = list.map((value) => value.replaceAll(":", "\\:")).join(" ");
        const known = takesFile ? ":file:_files" : values === "" ? ":value: " : `:value:(${values})`;
        const value = takesValue ? known : "";
        return `      '*${flag}[${plain(description)}]${value}'`;
      })
    );
    if (takesFile) specs.push(`      '*:file:_files'`);
    if (words.length > 0) specs.push(`      '*:argument:(${words.join(" ")})'`);
    return `    ${command}) _arguments \\\n${specs.join(" \\\n")} ;;`;
  });
  return `#compdef ${name}
# zsh completion for ${name}: put this file into a folder of $fpath as _${name}
_${name}() {
  local -a commands
  commands=(
${commands.join("\n")}
  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  local command="$words[2]"
  shift words
  ((CURRENT--))
  case "$command" in
${cases.join("\n")}
  esac
}
if [[ "$funcstack[1]" == "_${name}" ]]; then _${name} "$@"; else compdef _${name} ${name}; fi
`;
}

function fish(name: string, branches: readonly Branch[]): string {
  const quote = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const lines = branches.flatMap(({ name: command, description, flags, words, takesFile }) => {
    const here = `complete -c ${name} -n '__fish_seen_subcommand_from ${command}'`;
    return [
      `complete -c ${name} -n __fish_use_subcommand -a ${command} -d ${quote(description)}`,
      ...words.map((word) => `${here} -a ${word}`),
      ...(takesFile ? [`${here} -F`] : []),
      ...flags.map((flag) => {
        const names = flag.names.map((text) => {
          return text.startsWith("--") ? `-l ${text.slice(2)}` : `-s ${text.slice(1)}`;
        });
        const values = flag.values.join(" ");
        const known = values === "" ? " -x" : ` -x -a '${values}'`;
        const value = !flag.takesValue ? "" : flag.takesFile ? " -r -F" : known;
        return `${here} ${names.join(" ")} -d ${quote(flag.description)}${value}`;
      }),
    ];
  });
  const intro = `# fish completion for ${name}: put this file into ~/.config/fish/completions`;
  return [intro, `complete -c ${name} -f`, ...lines, ""].join("\n");
}
