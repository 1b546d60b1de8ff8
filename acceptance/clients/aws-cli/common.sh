# What the scripts beside this one share; each begins by sourcing it. They run in a folder of their own.
#   AWS=aws ./users.sh          against whatever server and account the environment names
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export AWS_DEFAULT_OUTPUT=json

aws() { command "${AWS:-aws}" "$@"; }

fail() {
  echo "${BASH_SOURCE[2]##*/}:${BASH_LINENO[1]}: $*" >&2
  exit 1
}

# is WANTED COMMAND…: the command prints this (blanks for tabs, newlines at the end apart), and the same once more.
is() {
  local wanted=$1
  shift
  aws "$@" >read & aws "$@" >read-again
  wait $!
  diff <(printf '%s\n' "$wanted") <(printf '%s\n' "$(tr '\t' ' ' <read)") || fail "is not what was written: $*"
  cmp read read-again || fail "is read in two ways: $*"
}

# refused CODE TEXT COMMAND…: the command fails as AWS's refusals do (254 in version 2, 255 in version 1).
refused() {
  local status=0 code=$1 text=$2
  shift 2
  aws "$@" >answer 2>complaint || status=$?
  [ "$status" = 254 ] || [ "$status" = 255 ] || fail "ended with $status: $*"
  case $(cat complaint) in
    *"An error occurred ($code) when calling the "*" operation: $text") ;;
    *) cat complaint >&2; fail "is not refused by $code, $text: $*" ;;
  esac
}

# pages QUERY COMMAND…: whatever the query finds in a listing, a page of one at a time, by the CLI's own tokens.
pages() {
  local query=$1 found token=()
  shift
  while :; do
    mapfile -t found < <(aws "$@" --query "[$query, NextToken]" --max-items 1 "${token[@]}" |
      grep -o '"[^"]*"' | tr -d '"')
    echo "${found[0]}"
    [ "${#found[@]}" = 2 ] || return 0
    token=(--starting-token "${found[1]}")
  done
}

# as CREDENTIALS COMMAND…: a command as whoever these belong to: key id, secret, and of a session the token.
as() {
  local id secret token
  read -r id secret token <<<"$1"
  shift
  AWS_ACCESS_KEY_ID=$id AWS_SECRET_ACCESS_KEY=$secret AWS_SESSION_TOKEN=$token "$@"
}
