#!/usr/bin/env bash
# The record of what was applied last, on the branch charter/applied; it is sourced, never run.
#
# Invariant: the branch is never forced, and a record that somebody else moved meanwhile is never written over.
#
# CHARTER_PLAN_KEY             seals the record; without it there is none
# CHARTER_RECORD_TOKEN         may push to the branch charter/applied, over https
# CHARTER_RECORD_KEY           or: a private key that may, over ssh
# CHARTER_RECORD_KNOWN_HOSTS   for the key: lines of a known_hosts file
# CHARTER_RECORD_REMOTE        where to push, if it is not CHARTER_REMOTE or its ssh address
set -euo pipefail

record=$CHARTER_HOME/out/last-applied.json
record_name=$(path_hash).json
record_before=

# Takes the record from the branch as it was fetched, and sets the array `held` to the option that charter gets for it. A
# missing branch or file is a newcomer's, which charter says.
# shellcheck disable=SC2034 # for the scripts
record_read() {
    held=()
    rm -f -- "$record"
    if [[ -z ${CHARTER_PLAN_KEY+set} ]]; then
        say "CHARTER_PLAN_KEY is not set: there is no record of what was applied last, and the base alone holds"
        return
    fi
    held=(--last-applied="$record")
    record_before=$(repository rev-parse --verify --quiet "refs/charter/applied:$record_name") || return 0
    [[ $(repository cat-file -t "$record_before") == blob && $(repository cat-file -s "$record_before") -le 65536 ]] ||
        fail 4 "the record of what was applied last is not a small file: find out who wrote to the branch charter/applied"
    (umask 077 && repository cat-file blob "$record_before" >"$record") || fail 1 "the record cannot be read: $(git_reason)"
}

# Checks the login before anything is applied.
record_check() {
    if [[ -n ${CHARTER_RECORD_TOKEN+set} && -n ${CHARTER_RECORD_KEY+set} ]]; then
        fail 3 "CHARTER_RECORD_TOKEN and CHARTER_RECORD_KEY are both set: one login pushes the record"
    fi
    local name
    for name in CHARTER_RECORD_TOKEN CHARTER_RECORD_KEY; do
        [[ -z ${!name+set} || -n ${!name} ]] ||
            fail 3 "$name is set and empty, so the secret did not arrive: make it as docs/ci.md says, or leave the variable out"
    done
    if [[ -n ${CHARTER_RECORD_KEY+set} ]]; then need CHARTER_RECORD_KNOWN_HOSTS; fi
}

# Git with the login for the branch of the records, in the environment of this one call.
# shellcheck disable=SC2034 # lib.sh reads git_keeps
record_remote() {
    local remote=${CHARTER_RECORD_REMOTE:-${CHARTER_REMOTE:-}} command=$1 folder options status=0 git_keeps
    shift
    if [[ -n ${CHARTER_RECORD_TOKEN:-} ]]; then
        repository_with_token x-access-token "$CHARTER_RECORD_TOKEN" "$command" --quiet -- "$remote" "$@"
        return
    fi
    if [[ $remote == https://* ]]; then remote=ssh://git@${remote#https://}; fi
    folder=$(mktemp -d "$CHARTER_HOME/login.XXXXXX")
    (umask 077 && printf '%s\n' "$CHARTER_RECORD_KEY" >"$folder/key" && printf '%s\n' "$CHARTER_RECORD_KNOWN_HOSTS" >"$folder/hosts")
    git_keeps=(GIT_SSH_COMMAND GIT_SSH_VARIANT record_login)
    options='-o IdentitiesOnly=yes -o IdentityAgent=none -o BatchMode=yes -o StrictHostKeyChecking=yes'
    options+=' -o GlobalKnownHostsFile=/dev/null -o ConnectTimeout=30'
    # shellcheck disable=SC2016 # the shell that Git starts knows the folder
    record_login=$folder GIT_SSH_VARIANT=ssh \
        GIT_SSH_COMMAND='ssh -F /dev/null -i "$record_login/key" -o "UserKnownHostsFile=$record_login/hosts" '"$options" \
        repository "$command" --quiet -- "$remote" "$@" || status=$?
    rm -rf -- "$folder"
    return "$status"
}

# Fails the job after an apply: what was applied stays so.
record_failed() {
    fail 1 "everything was applied, but the record of it was not written: $1. Until a later apply writes it, plans may say" \
        "\"merged, not applied\" of what is applied. Start the pipeline by hand once the cause is removed"
}

# Pushes the record, if charter wrote it anew; otherwise charter has said why not.
record_push() {
    local blob parent tree commit
    [[ -s $record ]] || return 0
    blob=$(repository hash-object -w --no-filters -- "$record") || record_failed "$(git_reason)"
    [[ $blob != "$record_before" ]] || return 0
    if [[ -z ${CHARTER_RECORD_TOKEN:-}${CHARTER_RECORD_KEY:-} ]]; then
        say "neither CHARTER_RECORD_TOKEN nor CHARTER_RECORD_KEY is set: the record of what was applied last was not pushed"
        return
    fi
    for _ in {1..5}; do
        parent=$(repository rev-parse --verify --quiet 'refs/charter/applied^{commit}') || parent=
        [[ $(repository rev-parse --verify --quiet "refs/charter/applied:$record_name") == "$record_before" ]] ||
            record_failed "another run has moved it since this one began"
        tree=$({
            [[ -z $parent ]] || repository ls-tree -z "$parent" | { grep -zv -e $'\t'"$record_name"'$' || :; }
            printf '100644 blob %s\t%s\0' "$blob" "$record_name"
        } | repository mktree -z) || record_failed "$(git_reason)"
        commit=$(repository commit-tree "$tree" ${parent:+-p "$parent"} -m 'Record what was applied') || record_failed "$(git_reason)"
        if record_remote push "$commit:refs/heads/charter/applied"; then
            say "the record of what was applied last was pushed"
            return
        fi
        [[ $(git_reason) == 'somebody else pushed meanwhile' ]] || record_failed "$(git_reason)"
        record_remote fetch '+refs/heads/charter/applied:refs/charter/applied' || record_failed "$(git_reason)"
    done
    record_failed "five times somebody else pushed meanwhile"
}
