#!/usr/bin/env bash
# What the scripts beside this one share; it is sourced, never run.
#
# Invariant: whatever somebody else may have chosen (branch names, titles, paths, revisions) arrives in environment
# variables, is used as one quoted word, and is never printed: a log line could be taken for a command.
set -euo pipefail
unset CDPATH
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
trap 'exit 143' INT TERM

# Only process 1 of a container is told to stop, and bash heeds that when the program that it waits for has ended. So the
# script runs as a child, and everything in the container is told.
if (($$ == 1)); then
    stopped=false child='' status=0
    trap 'stopped=true; [[ -z $child ]] || kill -TERM -1 2>/dev/null || :' INT TERM
    bash "$0" "$@" &
    child=$!
    if $stopped; then kill -TERM -1 2>/dev/null || :; fi
    wait "$child" || status=$?
    # A signal ends the waiting, and not the child.
    while kill -0 "$child" 2>/dev/null; do
        status=0
        wait "$child" || status=$?
    done
    exit "$status"
fi

# Ends with a message that quotes nothing. Exit codes are those of charter: 1 failed, 3 usage, 4 refused.
fail() {
    local code=$1
    shift
    printf 'charter-ci: %s\n' "$*" >&2
    exit "$code"
}

# A secret that was made with `echo` ends with a newline, which would become part of the password.
if [[ -n ${GH_TOKEN:-} ]]; then
    GH_TOKEN=${GH_TOKEN#"${GH_TOKEN%%[![:space:]]*}"}
    GH_TOKEN=${GH_TOKEN%"${GH_TOKEN##*[![:space:]]}"}
    export GH_TOKEN
    [[ -n $GH_TOKEN && ! $GH_TOKEN =~ [[:space:]] ]] ||
        fail 3 "GH_TOKEN is no token: it is blank, or has white space inside. Make the secret anew, with the token alone"
fi

say() {
    printf 'charter-ci: %s\n' "$*" >&2
}

# Each of these variables has to be set to something.
need() {
    local name
    for name in "$@"; do
        [[ -n ${!name:-} ]] || fail 3 "$name is not set"
    done
}

# Hands a value on to later steps of GitHub Actions; elsewhere nothing waits for one.
output() {
    local name=$1 value=$2
    [[ -n ${GITHUB_OUTPUT:-} ]] || return 0
    [[ $value != *$'\n'* ]] || fail 3 "the output $name has more than one line"
    printf '%s=%s\n' "$name" "$value" >>"$GITHUB_OUTPUT"
}

# Shows a report: in the summary of the step, or in the log.
show() {
    if [[ -n ${GITHUB_STEP_SUMMARY:-} ]]; then
        cat -- "$1" >>"$GITHUB_STEP_SUMMARY"
    else
        cat -- "$1"
    fi
}

# Runs a command and passes on to it that it shall stop, so that an apply finishes what is in flight and says what is
# left; bash by itself would tell nobody. After that nothing else is begun.
attend() {
    local child status=0 stopped=false
    "$@" </dev/null &
    child=$!
    # shellcheck disable=SC2064 # the child of now
    trap "stopped=true; kill -TERM $child 2>/dev/null || :" INT TERM
    wait "$child" || status=$?
    # A signal ends the waiting, and not the child.
    while kill -0 "$child" 2>/dev/null; do
        status=0
        wait "$child" || status=$?
    done
    trap 'exit 143' INT TERM
    if $stopped; then exit "$status"; fi
    return "$status"
}

# charter where it reads files only: with no credential in its environment.
offline() {
    env -u GH_TOKEN -u ACTIONS_ID_TOKEN_REQUEST_TOKEN -u ACTIONS_RUNTIME_TOKEN \
        -u ANTHROPIC_ADMIN_KEY -u ANTHROPIC_API_KEY -u ANTHROPIC_AUTH_TOKEN -u ANTHROPIC_IDENTITY_TOKEN \
        "$CHARTER_HOME/bin/charter" "$@" </dev/null
}

# The runs of a job share one access token, in a file that nobody else can read and that ends with the job: an issuer
# that checks `jti` takes an identity token once. Scripts that are called by this one find the same file.
share_token() {
    if [[ -n ${CHARTER_TOKEN_CACHE:-} || -z ${ANTHROPIC_FEDERATION_RULE_ID:-} ]]; then return 0; fi
    token_folder=$(mktemp -d)
    trap 'rm -rf -- "$token_folder"' EXIT
    export CHARTER_TOKEN_CACHE=$token_folder/access-token
}

# charter where it looks at the organization.
live() {
    share_token
    attend bash "$here/identity.sh" "$CHARTER_HOME/bin/charter" "$@"
}

# The commit whose rules hold too: the one before this change. Of a push it is known; a new branch has none (zeros), and
# then it is the parent. Nothing comes before the first commit.
base_revision() {
    local base=${CHARTER_BASE_REV:-}
    if [[ $base =~ ^0*$ ]]; then base='HEAD^1'; fi
    if [[ $base != 'HEAD^1' ]] || git rev-parse --verify --quiet 'HEAD^1^{commit}' >/dev/null; then
        printf '%s' "$base"
    fi
}

# The GitHub API. Exit code 10: the token may not do this; another: something else went wrong.
github() {
    local errors status=0
    errors=$(mktemp)
    if [[ -n ${GITHUB_SERVER_URL:-} && $GITHUB_SERVER_URL != https://github.com ]]; then
        export GH_HOST=${GITHUB_SERVER_URL#https://} GH_ENTERPRISE_TOKEN=$GH_TOKEN
    fi
    timeout 300 gh api "$@" 2>"$errors" </dev/null || status=$?
    if ((status)); then
        if grep -q 'HTTP 40[134]' "$errors"; then status=10; else status=1; fi
        say "GitHub answered: $(grep -o 'HTTP [0-9][0-9]*' "$errors" | head -n 1 || :)"
    fi
    rm -f -- "$errors"
    return "$status"
}

# The first two lines of what a bot writes: charter's own marker, and which files it is about. By them it finds its
# text again; a repository may hold the files of several organizations.
marks() {
    local marker hash path
    IFS= read -r marker <"$1" || :
    [[ $marker =~ ^'<!-- charter:'[a-z]+' -->'$ ]] || fail 1 "the report does not begin with charter's marker"
    # The whole repository and its root file are the same files: what was written about one is taken over.
    path=$CHARTER_PATH
    if [[ $path == . || $path == ./ ]]; then path=charter.yaml; fi
    hash=$(printf '%s' "$path" | sha256sum)
    printf '%s\n<!-- charter:path:%s -->' "$marker" "${hash:0:16}"
}

# A report with both marks, as it is sent.
marked() {
    marks "$1"
    printf '\n'
    tail -n +2 -- "$1"
}

# Of lines `number, author, first two lines`, the numbers that are ours: anybody may copy a mark.
ours() {
    local wanted=${1/$'\n'/ } author=${CHARTER_BOT:-github-actions[bot]} number by begins
    while IFS=$'\t' read -r number by begins; do
        if [[ $number =~ ^[0-9]+$ && $by == "$author" && $begins == "$wanted" ]]; then printf '%s\n' "$number"; fi
    done
}
