#!/bin/sh
# ethox in one file. This script is followed by a JavaScript bundle and by the Deno binary that runs it; both
# are unpacked once into a cache that is private to you, checked, and executed. Made by scripts/compile.ts.
#
# Where: $XDG_CACHE_HOME/ethox or ~/.cache/ethox. If that cannot be used (no home, read-only, full, noexec,
# not private), a fresh directory under $TMPDIR, /tmp, /var/tmp or /dev/shm, which is removed when ethox ends.
#
# What is trusted. Nobody but you and root may be able to change what is about to be executed:
# - the cache directory must be a real directory of yours that nobody else may write to, and nobody else may
#   swap it: each directory above it belongs to you or to root, and is not writable by others unless sticky;
# - a new file is checked against its digest below before it gets its final name, by rename, so that any number
#   of first starts at once is harmless, and a damaged ethox is refused;
# - a later start does not digest 96 MB again. It compares mode, inode, size, links, mtime and ctime with what
#   was seen after the last digest; no unprivileged call sets a ctime, so any write shows. On a difference
#   both files are digested again, and what is not right is unpacked anew, never executed.
# Who can write in that directory all the same is you or root, and could as well replace this file.
# The digests find damage, not malice: who can change what is packed can change them too.
#
# Beyond a POSIX shell it needs stat, dd, head and the like from coreutils or busybox, and for Deno the GNU C
# library. It never reads stdin.

runtime_bytes=@RUNTIME_BYTES@ runtime_skip=@RUNTIME_SKIP@
runtime_b2=@RUNTIME_B2@
runtime_sha=@RUNTIME_SHA@
bundle_bytes=@BUNDLE_BYTES@ bundle_blocks=@BUNDLE_BLOCKS@
bundle_b2=@BUNDLE_B2@
bundle_sha=@BUNDLE_SHA@
block=@BLOCK@

set -uf
newline='
'
space=' 	'$newline
IFS=$space
runtime=ethox-$runtime_sha bundle=app-$bundle_sha.js stamp=app-$bundle_sha.ok
new='' temporary='' why=''

say() { printf 'ethox: %s\n' "$*" >&2; }

die() {
  say "$*"
  exit 1
}

# This file, as an absolute path.
find_self() {
  case $0 in
    /*) self=$0 ;;
    */*) self=$PWD/${0#./} ;;
    *) if [ -f "$0" ]; then self=$PWD/$0; else self=$(command -v -- "$0"); fi ;;
  esac
  if [ ! -f "$self" ] || [ ! -r "$self" ]; then die "cannot find its own file ($0); start it by its path"; fi
}

# Variables that steer Deno itself (flags, caches, certificates, brokers, traces) are not for this program.
clean_environment() {
  exported=$(export -p)
  case $exported in *DENO_* | *NODE_* | *OTEL_*) ;; *) return ;; esac
  IFS=$newline
  for line in $exported; do
    name=${line#declare -x }
    name=${name#export }
    name=${name%%=*}
    case $name in *[!A-Za-z0-9_]*) ;; DENO_* | NODE_* | OTEL_*) unset "$name" ;; esac
  done
  IFS=$space
}

# Sets `directory` to the cache, made if need be, as a path without symbolic links.
find_cache() {
  case ${XDG_CACHE_HOME-} in
    /*) parent=$XDG_CACHE_HOME ;;
    *)
      case ${HOME-} in /*) ;; *) why='HOME is not set' && return 1 ;; esac
      [ -d "$HOME" ] || { why="HOME is $HOME, which is no directory" && return 1; }
      parent=$HOME/.cache
      ;;
  esac
  directory=$parent/ethox
  [ -h "$directory" ] && why="$directory is a symbolic link" && return 1
  if [ ! -d "$directory" ]; then
    why="cannot make the cache $directory"
    # Root (who owns /) leaves nothing of its own in somebody else's home, as under sudo.
    path=$parent
    until [ -d "$path" ]; do path=${path%/*} && path=${path:-/}; done
    if [ -O / ] && [ ! -O "$path" ]; then return 1; fi
    (umask 077 && mkdir -p -- "$directory") 2>/dev/null || return 1
  fi
  why="cannot enter $directory"
  directory=$(CDPATH='' cd -P -- "$directory" 2>/dev/null && pwd -P)
}

# Looks at directory $1, at all above it, and at our two files in it: `facts` is what is seen of the files.
# Returns 0 when nobody else can write in it or swap it, 2 when only its own mode lets others write, else 1.
inspect() {
  facts='' why="$1 is not yours alone (its owner or mode, or that of a directory above it)"
  [ -O "$1" ] || return 1
  here=$1 path=${1%/*}
  set -- "$here" /
  while [ -n "$path" ]; do
    set -- "$@" "$path"
    path=${path%/*}
  done
  directories=$#
  IFS=$newline
  # shellcheck disable=SC2046 # split at line ends, into one parameter a file
  set -- $(TZ=UTC0 stat -c '%u %a %i %s %h %y %z' "$@" "$here/$runtime" "$here/$bundle" 2>/dev/null)
  IFS=$space
  [ $# -ge "$directories" ] || return 1
  # Whoever owns / can do everything anyway: root, or what root looks like in a user namespace without it.
  me=${1%% *} root=${2%% *} verdict=0
  if others_write "$1"; then verdict=2; fi
  shift
  while directories=$((directories - 1)) && [ "$directories" -gt 0 ]; do
    owner=${1%% *}
    [ "$owner" = "$root" ] || [ "$owner" = "$me" ] || return 1
    if others_write "$1"; then
      case $mode in [1357]???) ;; *) return 1 ;; esac
    fi
    shift
  done
  # Without the owner, which looks different from inside a user namespace; a change of owner shows as a ctime.
  [ $# -eq 2 ] && facts="${1#* } ${2#* }"
  return "$verdict"
}

# Whether the mode in a line of inspect's lets the group or others write.
others_write() {
  mode=${1#* }
  mode=${mode%% *}
  case $mode in *[2367]? | *[2367]) return 0 ;; esac
  return 1
}

# Compares file $1 with a BLAKE2b ($2, often faster) or SHA-256 ($3); 2 when there is no tool for either.
compare() {
  if command -v b2sum >/dev/null; then
    sum=$(b2sum 2>/dev/null <"$1") && [ "${sum%% *}" = "$2" ]
  elif command -v sha256sum >/dev/null; then
    sum=$(sha256sum 2>/dev/null <"$1") && [ "${sum%% *}" = "$3" ]
  else
    return 2
  fi
}

# Writes the packed runtime or bundle ($1) to the file $new.
copy() {
  case $1 in
    runtime) dd if="$self" bs="$block" skip="$runtime_skip" of="$new" ;;
    bundle) dd if="$self" bs="$block" skip=1 count="$bundle_blocks" | head -c "$bundle_bytes" >"$new" ;;
  esac
}

# Makes sure that file $2 in $directory is the $1 (runtime or bundle), of size $3, digests $4 and $5, mode $6.
ensure() {
  file=$directory/$2
  if [ -e "$file" ] || [ -h "$file" ]; then
    [ -f "$file" ] && [ ! -h "$file" ] && [ -O "$file" ] && compare "$file" "$4" "$5"
    case $? in
      0) chmod "$6" "$file" && return ;;
      # No tool to tell with: unpack it again.
      2) ;;
      *) say "$file is not what was unpacked there; it is replaced" ;;
    esac
    # The code that Deno cached may be no better.
    rm -rf -- "$directory/run"
    # A file stays until the rename below: another start may be about to execute the good one.
    if [ -d "$file" ]; then rm -rf -- "$file"; fi
  fi
  why="$directory has no room for $(((runtime_bytes + bundle_bytes) / 1000000 + 1)) MB, or is read-only"
  new=$(mktemp "$directory/new.XXXXXXXXXX" 2>/dev/null) || return 1
  copy "$1" 2>/dev/null || return 1
  [ "$(stat -c %s "$new")" = "$3" ] || die "$self is damaged: its $1 has the wrong size; get it again"
  compare "$new" "$4" "$5"
  case $? in
    0) ;;
    2) say "neither b2sum nor sha256sum is here: of the $1, only the size is checked" ;;
    *) die "$self is damaged: its $1 has the wrong digest; get it again" ;;
  esac
  chmod "$6" "$new" && mv -f -- "$new" "$file" || return 1
  new=''
}

# Unpacks into $directory what is missing or wrong there.
unpack() {
  mask=$(umask)
  umask 077
  ensure runtime "$runtime" "$runtime_bytes" "$runtime_b2" "$runtime_sha" 500 &&
    ensure bundle "$bundle" "$bundle_bytes" "$bundle_b2" "$bundle_sha" 400
  result=$?
  umask "$mask"
  [ -z "$new" ] || rm -f -- "$new"
  new=''
  [ "$result" -eq 0 ] || return 1
  why="$directory is mounted noexec"
  [ -x "$directory/$runtime" ]
}

# Half-written files of first starts that were killed an hour ago or earlier.
sweep() {
  now=$(date +%s) || return
  set +f
  for file in "$directory"/new.*; do
    changed=$(stat -c %Z "$file" 2>/dev/null) && [ "$((now - changed))" -gt 3600 ] && rm -f -- "$file"
  done
  set -f
}

# Sets `directory` to the cache, with both files right. Every start but the first ends in its middle.
use_cache() {
  find_cache || return 1
  inspect "$directory"
  case $? in
    0) ;;
    2)
      say "$directory could be written by others; it is emptied"
      # Moved away whole, so that no start at the same time takes what is in it for its own.
      temporary=$(mktemp -d "$directory.XXXXXXXXXX" 2>/dev/null) || return 1
      mv -- "$directory" "$temporary/" 2>/dev/null
      rm -rf -- "$temporary"
      temporary=''
      mkdir -m 700 -- "$directory" 2>/dev/null && inspect "$directory" || return 1
      ;;
    *) return 1 ;;
  esac
  seen=''
  [ -f "$directory/$stamp" ] && IFS= read -r seen <"$directory/$stamp"
  [ -n "$facts" ] && [ "$seen" = "$facts" ] && return
  sweep
  unpack && inspect "$directory" && [ -n "$facts" ] || return 1
  # What cannot be remembered is digested again at the next start.
  new=$(mktemp "$directory/new.XXXXXXXXXX" 2>/dev/null) && printf '%s\n' "$facts" >"$new" &&
    mv -f -- "$new" "$directory/$stamp" && new=''
  return 0
}

# Sets `directory` to a fresh one that is removed when this process, by then Deno, has ended.
use_temporary() {
  reason=$why
  for base in "${TMPDIR-}" /tmp /var/tmp /dev/shm; do
    case $base in /*) ;; *) continue ;; esac
    base=$(CDPATH='' cd -P -- "$base" 2>/dev/null && pwd -P) || continue
    temporary=$(mktemp -d "${base%/}/ethox.XXXXXXXXXX" 2>/dev/null) || continue
    directory=$temporary
    if inspect "$directory" && unpack && mkfifo -m 600 "$directory/running"; then
      say "$reason; running from $directory, which is removed at exit"
      # Nothing is ever written to the pipe: reading ends when the last holder of the writing end, descriptor 9
      # of this process and so of Deno, is gone. Opened for both first, so that no open waits for another.
      exec 9<>"$directory/running" 8<"$directory/running"
      (
        trap '' HUP INT QUIT TERM
        exec 9>&-
        cd /
        read -r _
        rm -rf -- "$directory"
      ) <&8 >/dev/null 2>&1 &
      exec 8<&-
      temporary=''
      return
    fi
    rm -rf -- "$temporary"
    temporary=''
  done
  die "no place to unpack to: $reason, nor has another place room. Set XDG_CACHE_HOME or TMPDIR to one that has"
}

clean_up() {
  [ -z "$new" ] || rm -f -- "$new"
  [ -z "$temporary" ] || rm -rf -- "$temporary"
}

trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
find_self
clean_environment
use_cache || use_temporary
trap - EXIT HUP INT TERM
DENO_DIR=$directory/run DENO_NO_UPDATE_CHECK=1 DENO_NO_PACKAGE_JSON=1
export DENO_DIR DENO_NO_UPDATE_CHECK DENO_NO_PACKAGE_JSON
exec "$directory/$runtime" run @FLAGS@ "$directory/$bundle" "$@"
exit 1
