#!/usr/bin/env bash
# How the organization differs from the files; then what dates and accepted invites have made due is done.
#
# CHARTER_HOME           where install.sh and fetch.sh have been
# CHARTER_PATH           the files
# CHARTER_BRANCH         the branch that is applied
# CHARTER_ALONE          false: another apply is running, so nothing is applied here
# CHARTER_REDACT_KEY     if set, pseudonyms stand for names
# CHARTER_JUNIT          true: also a JUnit report, out/drift.xml
# CHARTER_FAIL_ON_DRIFT  true: exit code 2 if something still differs, where nobody opens an issue
set -euo pipefail
# shellcheck source=deploy/ci/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

need CHARTER_HOME CHARTER_PATH CHARTER_BRANCH
cd -- "$CHARTER_HOME/repository"
# shellcheck source=deploy/ci/record.sh
source "$here/record.sh"
report=$CHARTER_HOME/out/report.$ending
commit=$(job_commit)
record_read
options=("${held[@]}")
if [[ -n ${CHARTER_REDACT_KEY+set} ]]; then options+=(--redact); fi

# Writes a report; 2 says that something differs.
look() {
    local format=$1 file=$2 code=0
    live drift --format="$format" --rev="$commit" "${options[@]}" -- "$CHARTER_PATH" >"$file" || code=$?
    case $code in
    0 | 2) return "$code" ;;
    *) exit "$code" ;;
    esac
}

drifts=0 applied=0
look "$format" "$report" || drifts=$?
if [[ ${CHARTER_ALONE:-true} == true ]]; then
    # The record stands as it was read: what is only due moves none, and no login to push one is handed on.
    attend env -u CHARTER_RECORD_TOKEN -u CHARTER_RECORD_KEY CHARTER_PLAN='' CHARTER_ALLOW='' CHARTER_ONLY='expired deferred' \
        CHARTER_TIME_LIMIT="$(time_left)" bash "$here/apply.sh" || applied=$?
    # An end that was agreed on is no surprise: what is told is what is left.
    if ((drifts)); then
        drifts=0
        look "$format" "$report" || drifts=$?
    fi
fi
if [[ ${CHARTER_JUNIT:-} == true ]]; then look junit "$CHARTER_HOME/out/drift.xml" || drifts=$?; fi
if [[ ${CHARTER_ALONE:-true} != true ]]; then
    applied_not="Nothing was applied: another apply was running. What is due is left to it and to the next night."
    say "$applied_not"
    printf '\n%s\n' "$applied_not" >>"$report"
fi

show "$report"
output report "$report"
if ((drifts)); then output drift true; else output drift false; fi
((applied == 0)) || exit "$applied"
if [[ ${CHARTER_FAIL_ON_DRIFT:-} == true ]]; then exit "$drifts"; fi
