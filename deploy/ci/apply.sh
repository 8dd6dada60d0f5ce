#!/usr/bin/env bash
# Carries out a saved plan, or the files of the newest commit; then the record of what was applied last moves.
#
# CHARTER_HOME            where install.sh and fetch.sh have been
# CHARTER_PATH            the files
# CHARTER_BRANCH          the branch that is applied; the commit of this job has to be its tip
# CHARTER_PLAN            a plan saved by plan.sh: it is carried out, and nothing else
# CHARTER_PLAN_SHA256     its checksum, where plan.sh could hand it on by another way than the plan
# CHARTER_BASE_REV        for files: the commit whose rules hold too; the parent of the commit unless it says so
# CHARTER_ONLY            for files: expired, deferred; then no base is needed, since nobody changed anything
# CHARTER_ALLOW           guards that may be passed, as removals.members=40; several with blanks or on lines
# CHARTER_ACK             a digest
# CHARTER_MERGE_MESSAGES  reviewers: who writes the messages of merges; trailers in them count
# CHARTER_REDACT_KEY      if set, names must not be seen: what is said goes to a file
# CHARTER_REMOTE          where the record is pushed; record.sh has the login for it
set -euo pipefail
# shellcheck source=deploy/ci/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

need CHARTER_HOME CHARTER_PATH CHARTER_BRANCH
plan=${CHARTER_PLAN:-}
if [[ -n $plan ]]; then
    [[ $plan == /* ]] || plan=$PWD/$plan
    [[ -f $plan && ! -L $plan ]] || fail 4 "CHARTER_PLAN is refused: it is not a regular file, as plan.sh saves one"
    if [[ -n ${CHARTER_PLAN_SHA256:-} ]]; then
        sum=$(sha256sum <"$plan")
        [[ ${sum%% *} == "$CHARTER_PLAN_SHA256" ]] ||
            fail 4 "CHARTER_PLAN is refused: it is not the plan that the plan job saved. Find out who replaced it"
    fi
fi
cd -- "$CHARTER_HOME/repository"
# shellcheck source=deploy/ci/record.sh
source "$here/record.sh"
commit=$(job_commit)

# The name is told before the first call: a job that is ended has its journal kept all the same.
journal=$CHARTER_HOME/out/journal-$(date -u +%Y%m%dT%H%M%SZ)-$$.jsonl
output journal "$journal"
options=(--yes --require-tip="refs/remotes/origin/$CHARTER_BRANCH" --journal="$journal")
split "${CHARTER_ONLY:-}"
only=("${words[@]}")
split "${CHARTER_ALLOW:-}"
for what in "${only[@]}"; do options+=(--only="$what"); done
for guard in "${words[@]}"; do options+=(--allow="$guard"); done
record_check
record_read
options+=("${held[@]}")
if [[ ${#only[@]} -eq 0 ]]; then
    case ${CHARTER_MERGE_MESSAGES:-} in
    '') ;;
    reviewers) options+=(--ack-from-commit="$commit") ;;
    *) fail 3 "CHARTER_MERGE_MESSAGES is neither empty nor \"reviewers\"" ;;
    esac
    if [[ -n ${CHARTER_ACK:-} ]]; then options+=(--ack="$CHARTER_ACK"); fi
fi
if [[ -n $plan ]]; then
    options+=(--plan="$plan")
else
    options+=(--rev="$commit")
    if [[ ${#only[@]} -eq 0 ]]; then
        base=$(base_revision)
        [[ -z $base ]] || options+=(--base-rev="$base")
        options+=(--verify)
    fi
    options+=(-- "$CHARTER_PATH")
fi

code=0
if [[ -n ${CHARTER_REDACT_KEY+set} ]]; then
    live apply "${options[@]}" >"$CHARTER_HOME/out/apply.txt" 2>&1 || code=$?
    say "apply ended with exit code $code; what it said names people, and is in out/apply.txt below CHARTER_HOME"
else
    live apply "${options[@]}" || code=$?
fi
((code == 0)) || exit "$code"
if [[ ${#only[@]} -eq 0 ]]; then record_push; fi
