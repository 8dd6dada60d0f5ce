#!/usr/bin/env bash
# Shared by the scripts of this folder; it is sourced, never run.
#
# Invariant: text that other people choose (branch names, titles, paths, revisions) arrives in environment variables, is
# used as one quoted word, and is never printed: a log line could be taken for a command. A program gets only the
# variables that it needs.
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

# Each of these variables has to have a value.
need() {
    local name
    for name in "$@"; do
        [[ -n ${!name:-} ]] || fail 3 "$name is not set"
    done
}

# Hands a value to later steps of GitHub Actions; does nothing elsewhere.
output() {
    local name=$1 value=$2
    [[ -n ${GITHUB_OUTPUT:-} ]] || return 0
    [[ $value != *$'\n'* ]] || fail 3 "the output $name has more than one line"
    printf '%s=%s\n' "$name" "$value" >>"$GITHUB_OUTPUT"
}

# Reports are Markdown where the platform renders it, and text in a log.
# shellcheck disable=SC2034 # for the scripts
if [[ -n ${GITHUB_STEP_SUMMARY:-} ]]; then format=markdown ending=md; else format=text ending=txt; fi

# Shows a report: in the summary of the step, or in the log.
show() {
    if [[ -n ${GITHUB_STEP_SUMMARY:-} ]]; then
        cat -- "$1" >>"$GITHUB_STEP_SUMMARY"
    else
        cat -- "$1"
    fi
}

# Sets the array `clean` to a prefix that runs a program with the variables that every program needs and those that the
# given patterns name. Only names become arguments: everybody on the machine can read those.
clean_for() {
    local name pattern kept
    clean=(env)
    while IFS= read -r name; do
        kept=false
        for pattern in PATH HOME TMPDIR LANG 'LC_*' TZ '*_proxy' '*_PROXY' 'SSL_CERT_*' CURL_CA_BUNDLE GIT_SSL_CAINFO "$@"; do
            # shellcheck disable=SC2053 # a pattern
            if [[ $name == $pattern ]]; then kept=true; fi
        done
        $kept || clean+=(-u "$name")
    done < <(compgen -e)
}

# Runs a command and passes one request to stop on to it, so that an apply finishes the calls in flight and says what is
# left. Runners send several signals, and charter takes the second one for impatience. Nothing else begins after a stop.
attend() {
    local child status=0 stopped=false
    "$@" </dev/null &
    child=$!
    # shellcheck disable=SC2064 # the child of now
    trap "\$stopped || kill -TERM $child 2>/dev/null || :; stopped=true" INT TERM
    wait "$child" || status=$?
    # A signal ends the waiting, and not the child.
    while kill -0 "$child" 2>/dev/null; do
        status=0
        wait "$child" || status=$?
    done
    trap 'exit 143' INT TERM
    if $stopped; then
        # Nothing else begins, so a command that had ended well all the same is no success of the script.
        if ((status == 0 || status == 2)); then status=143; fi
        exit "$status"
    fi
    return "$status"
}

# Variables that charter reads; credentials of the organization are not among them.
reads=(CHARTER_LOG CHARTER_REDACT_KEY COLUMNS GITHUB_STEP_SUMMARY GITHUB_WORKSPACE CI_PROJECT_DIR)

# charter where it reads files only: without a credential.
offline() {
    clean_for "${reads[@]}"
    "${clean[@]}" "$CHARTER_HOME/bin/charter" "$@" </dev/null
}

# The runs of a job share one access token, in a private file that ends with the job: an issuer that checks `jti` takes
# an identity token once. Scripts that are called by this one find the same file.
share_token() {
    if [[ -n ${CHARTER_TOKEN_CACHE:-} || -z ${ANTHROPIC_FEDERATION_RULE_ID:-} ]]; then return 0; fi
    token_folder=$(mktemp -d)
    trap 'rm -rf -- "$token_folder"' EXIT
    export CHARTER_TOKEN_CACHE=$token_folder/access-token
}

# Of CHARTER_TIME_LIMIT, the seconds that are left; nothing if there is no limit.
time_left() {
    [[ -n ${CHARTER_TIME_LIMIT:-} ]] || return 0
    [[ $CHARTER_TIME_LIMIT =~ ^[1-9][0-9]{0,5}$ ]] || fail 3 "CHARTER_TIME_LIMIT is not a number of seconds"
    printf '%s' "$((CHARTER_TIME_LIMIT > SECONDS ? CHARTER_TIME_LIMIT - SECONDS : 1))"
}

# charter where it looks at the organization. It is told to stop when the time of the job is nearly over: what the
# platform ends by itself leaves no journal.
live() {
    local left limit=()
    share_token
    left=$(time_left)
    # In the foreground, `timeout` signals the program and not its whole group, which would be a second signal.
    if [[ -n $left ]]; then limit=(timeout --foreground --preserve-status --kill-after=300 "$left"); fi
    clean_for "${reads[@]}" 'ANTHROPIC_*' CHARTER_PLAN_KEY CHARTER_TOKEN_CACHE CHARTER_RENEW_SECONDS \
        ACTIONS_ID_TOKEN_REQUEST_URL ACTIONS_ID_TOKEN_REQUEST_TOKEN
    attend "${clean[@]}" "${limit[@]}" bash "$here/identity.sh" "$CHARTER_HOME/bin/charter" "$@"
}

# The commit of this job, as fetch.sh left it. Nothing is checked out.
job_commit() {
    repository rev-parse --verify --quiet --end-of-options 'HEAD^{commit}' || fail 1 "fetch.sh has left no commit"
}

# The commit whose rules hold too: the one before this change. Of a push it is known; a new branch has none (zeros), and
# then it is the parent. Nothing comes before the first commit.
base_revision() {
    local base=${CHARTER_BASE_REV:-}
    if [[ $base =~ ^0*$ ]]; then base='HEAD^1'; fi
    if [[ $base != 'HEAD^1' ]] || repository rev-parse --verify --quiet 'HEAD^1^{commit}' >/dev/null; then
        printf '%s' "$base"
    fi
}

# Variables that the next call of Git keeps besides; a login is set by whoever calls, for that one call.
git_keeps=()

# Git in the repository of this job. No configuration, hook, attribute, graft or replacement has a say, and what Git says
# is kept from the log: it quotes names and lines of the repository. `git_reason` gives the cause in words of this script.
repository() {
    local said=$CHARTER_HOME/git-said status=0
    clean_for "${git_keeps[@]}"
    "${clean[@]}" GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_ATTR_NOSYSTEM=1 GIT_NO_REPLACE_OBJECTS=1 \
        GIT_GRAFT_FILE=/dev/null GIT_TERMINAL_PROMPT=0 LC_ALL=C timeout --kill-after=10 900 \
        git -c core.hooksPath=/dev/null -c core.attributesFile=/dev/null -c http.followRedirects=false \
        -c user.name=charter -c user.email=charter@localhost "$@" 2>"$said" || status=$?
    ((status == 0)) || reason "$status" "$said" >"$CHARTER_HOME/git-reason"
    return "$status"
}

# The same with a token for https, in the environment of this call and in no argument.
repository_with_token() {
    local user=$1 token=$2 git_keeps=(GIT_CONFIG_COUNT GIT_CONFIG_KEY_0 GIT_CONFIG_VALUE_0)
    shift 2
    GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=http.extraHeader \
        GIT_CONFIG_VALUE_0="Authorization: Basic $(printf '%s:%s' "$user" "$token" | base64 -w 0)" repository "$@"
}

# Why the last call of Git that failed did so; also of one in a subshell.
git_reason() {
    cat -- "$CHARTER_HOME/git-reason"
}

reason() {
    local status=$1 said=$2
    if ((status == 124)); then
        printf 'it took too long'
    elif grep -qi 'certificate\|ca cert\|trust anchors' "$said"; then
        printf 'the certificate of the host cannot be verified: has this image the package ca-certificates?'
    elif grep -qi 'could not resolve\|connection refused\|connection timed out\|failed to connect\|unable to access.*ssl' "$said"; then
        printf 'the host cannot be reached'
    elif grep -qi 'host key verification failed' "$said"; then
        printf 'the host has another key than the known one'
    elif grep -qi 'protected branch\|rule violations\|declined' "$said"; then
        printf 'the branch is protected against this login'
    elif grep -qi 'authentication failed\|could not read \(username\|password\)\|permission\|error: 40[13]\|denied' "$said"; then
        printf 'the login is missing or refused'
    elif grep -qi 'fetch first\|non-fast-forward\|cannot lock ref\|failed to update ref\|incorrect old value' "$said"; then
        printf 'somebody else pushed meanwhile'
    elif grep -qi "couldn't find remote ref\|not our ref\|unadvertised\|unreachable" "$said"; then
        printf 'it has no such branch, reference or commit'
    elif grep -qi 'not found\|not a git repository\|does not appear to be a git repository\|does not exist' "$said"; then
        printf 'there is no such repository, or the login may not see it'
    else
        printf 'Git ended with exit code %s' "$status"
    fi
}

# The GitHub API. Exit code 10: the token may not do this; 11: there is no `gh`; another: something else went wrong.
github() {
    local errors answer status=0
    command -v gh >/dev/null || return 11
    errors=$(mktemp)
    if [[ -n ${GITHUB_SERVER_URL:-} && $GITHUB_SERVER_URL != https://github.com ]]; then
        export GH_HOST=${GITHUB_SERVER_URL#https://} GH_ENTERPRISE_TOKEN=$GH_TOKEN
    fi
    clean_for GH_TOKEN GH_HOST GH_ENTERPRISE_TOKEN
    # Not the configuration of whoever owns the runner.
    "${clean[@]}" GH_CONFIG_DIR="$CHARTER_HOME/gh" GH_PROMPT_DISABLED=1 GH_NO_UPDATE_NOTIFIER=1 timeout 300 \
        gh api "$@" 2>"$errors" </dev/null || status=$?
    if ((status)); then
        answer=$(grep -o 'HTTP [0-9][0-9]*' "$errors" | head -n 1 || :)
        if [[ -n $answer ]]; then say "GitHub answered: $answer"; else say "GitHub did not answer: is its API within reach of this runner?"; fi
        if [[ $answer =~ ^'HTTP 40'[134]$ ]]; then status=10; else status=1; fi
    fi
    rm -f -- "$errors"
    return "$status"
}

# The files, however their path is written: the whole repository and its root file are the same files.
path_hash() {
    local path=$CHARTER_PATH hash
    if [[ $path == . || $path == ./ ]]; then path=charter.yaml; fi
    hash=$(printf '%s' "$path" | sha256sum)
    printf '%s' "${hash:0:16}"
}

# The first two lines of what a bot writes: charter's own marker, and which files it is about. By them it finds its
# text again; a repository may hold the files of several organizations.
marks() {
    local marker
    IFS= read -r marker <"$1" || :
    [[ $marker =~ ^'<!-- charter:'[a-z]+' -->'$ ]] || fail 1 "the report does not begin with charter's marker"
    printf '%s\n<!-- charter:path:%s -->' "$marker" "$(path_hash)"
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

# Words on one or several lines, into the array `words`.
split() {
    local IFS=$' \t\r\n'
    # shellcheck disable=SC2034 # for the scripts
    read -r -d '' -a words <<<"$1" || :
}
