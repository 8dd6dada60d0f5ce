#!/usr/bin/env bash
# Carries out a saved plan, or the files of the newest commit.
#
# CHARTER_HOME        where install.sh and fetch.sh have been
# CHARTER_PATH        the files
# CHARTER_BRANCH      the branch that is applied; the commit of this job has to be its tip
# CHARTER_PLAN        a plan saved by plan.sh: it is carried out, and nothing else
# CHARTER_BASE_REV    for files: the commit whose rules hold too; the parent of the commit unless it says so
# CHARTER_ONLY        for files: expired, deferred; then no base is needed, since nobody changed anything
# CHARTER_ALLOW       guards that may be passed, as removals.members=40, with spaces between several
# CHARTER_ACK         a digest, where it does not stand in the message of the commit
# CHARTER_REDACT_KEY  if set, names must not be seen: what is said goes to a file
set -euo pipefail
# shellcheck source=deploy/ci/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

need CHARTER_HOME CHARTER_PATH CHARTER_BRANCH
plan=${CHARTER_PLAN:-}
if [[ -n $plan && $plan != /* ]]; then plan=$PWD/$plan; fi
cd -- "$CHARTER_HOME/repository"

journal=$CHARTER_HOME/out/journal-$(date -u +%Y%m%dT%H%M%SZ)-$$.jsonl
options=(--yes --require-tip="refs/remotes/origin/$CHARTER_BRANCH" --journal="$journal")
read -r -a only <<<"${CHARTER_ONLY:-}"
read -r -a allowed <<<"${CHARTER_ALLOW:-}"
for what in "${only[@]}"; do options+=(--only="$what"); done
for guard in "${allowed[@]}"; do options+=(--allow="$guard"); done
if [[ ${#only[@]} -eq 0 ]]; then
    options+=(--ack-from-commit=HEAD)
    if [[ -n ${CHARTER_ACK:-} ]]; then options+=(--ack="$CHARTER_ACK"); fi
fi
if [[ -n $plan ]]; then
    target=$plan
else
    target=$CHARTER_PATH
    if [[ ${#only[@]} -eq 0 ]]; then
        base=$(base_revision)
        [[ -z $base ]] || options+=(--base-rev="$base")
        options+=(--verify)
    fi
fi

code=0
if [[ -n ${CHARTER_REDACT_KEY+set} ]]; then
    live apply "${options[@]}" -- "$target" >"$CHARTER_HOME/out/apply.txt" 2>&1 || code=$?
    say "apply ended with exit code $code; what it said names people, and is in out/apply.txt below CHARTER_HOME"
else
    live apply "${options[@]}" -- "$target" || code=$?
fi
if [[ -e $journal ]]; then output journal "$journal"; fi
exit "$code"
