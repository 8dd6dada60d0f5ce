#!/usr/bin/env bash
# Keeps two workflows from applying at once: apply waits for the other one, and drift leaves its apply out.
#
# Each asks once its own job is in progress, so of two that begin together at least one sees the other. One concurrency
# group for both would do, but GitHub keeps one waiting job in a group and drops the others: an approved apply was lost.
#
# CHARTER_MODE            apply or drift; the others apply nothing
# CHARTER_EXCLUSIVE_WITH  the other workflow and its job, as charter-drift.yml:drift; empty: nothing is asked
# CHARTER_WAIT_SECONDS    how long apply waits for the other one
# GITHUB_REPOSITORY       owner/name
# GITHUB_RUN_ID           this run, which does not count
# GH_TOKEN                may read actions
set -euo pipefail
# shellcheck source=deploy/ci/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

need CHARTER_HOME CHARTER_MODE
other=${CHARTER_EXCLUSIVE_WITH:-}
if [[ -z $other || ! $CHARTER_MODE =~ ^(apply|drift)$ ]]; then
    output alone true
    exit 0
fi
[[ $other =~ ^[A-Za-z0-9_.-]+\.ya?ml:[A-Za-z0-9_-]+$ ]] || fail 3 "CHARTER_EXCLUSIVE_WITH is not a workflow and a job, as charter-drift.yml:drift"
[[ ${GITHUB_REPOSITORY:-} =~ ^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$ ]] || fail 3 "GITHUB_REPOSITORY is not owner/name"
[[ ${CHARTER_WAIT_SECONDS:=7200} =~ ^[0-9]{1,5}$ ]] || fail 3 "CHARTER_WAIT_SECONDS is not a number of seconds"
need GH_TOKEN
actions=repos/$GITHUB_REPOSITORY/actions

# Whether the other job is in progress in any run: 0 if so, 1 if not, 2 if nobody can tell.
busy() {
    local runs jobs run name
    runs=$(github "$actions/workflows/${other%%:*}/runs?status=in_progress&per_page=100" --jq '.workflow_runs[].id') || return 2
    while IFS= read -r run; do
        if [[ ! $run =~ ^[0-9]+$ || $run == "${GITHUB_RUN_ID:-}" ]]; then continue; fi
        jobs=$(github "$actions/runs/$run/jobs?filter=latest&per_page=100" --jq '.jobs[] | select(.status == "in_progress") | .name') || return 2
        while IFS= read -r name; do
            if [[ $name == "${other#*:}" ]]; then return 0; fi
        done <<<"$jobs"
    done <<<"$runs"
    return 1
}

told=false
while :; do
    state=0
    busy || state=$?
    case $CHARTER_MODE:$state in
    *:1)
        output alone true
        exit 0
        ;;
    drift:0)
        say "another apply is running: this run applies nothing"
        output alone false
        exit 0
        ;;
    drift:*)
        say "it is not known whether another apply is running, so this run applies nothing: has the job the permission actions: read, and is gh installed?"
        output alone false
        exit 0
        ;;
    apply:2) fail 1 "it is not known whether the nightly run is applying: has the job the permission actions: read, and is gh installed? Nothing was applied" ;;
    esac
    $told || say "the nightly run is in progress: waiting for its end"
    told=true
    ((SECONDS < CHARTER_WAIT_SECONDS)) || fail 1 "the nightly run is still in progress: nothing was applied. Start this again when it has ended"
    sleep "${CHARTER_POLL_SECONDS:-30}" &
    wait $! || :
done
