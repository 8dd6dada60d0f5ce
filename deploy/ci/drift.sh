#!/usr/bin/env bash
# How the organization differs from the files; then what dates and accepted invites have made due is done.
#
# CHARTER_HOME           where install.sh and fetch.sh have been
# CHARTER_PATH           the files
# CHARTER_BRANCH         the branch that is applied
# CHARTER_REDACT_KEY     if set, pseudonyms stand for names
# CHARTER_JUNIT          true: also a JUnit report, out/drift.xml
# CHARTER_FAIL_ON_DRIFT  true: exit code 2 if something still differs, where nobody opens an issue
set -euo pipefail
# shellcheck source=deploy/ci/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

need CHARTER_HOME CHARTER_PATH CHARTER_BRANCH
cd -- "$CHARTER_HOME/repository"
report=$CHARTER_HOME/out/report.md
options=()
if [[ -n ${CHARTER_REDACT_KEY+set} ]]; then options+=(--redact); fi

# Writes a report; 2 says that something differs.
look() {
    local format=$1 file=$2 code=0
    live drift --format="$format" "${options[@]}" -- "$CHARTER_PATH" >"$file" || code=$?
    case $code in
    0 | 2) return "$code" ;;
    *) exit "$code" ;;
    esac
}

drifts=0 applied=0
look markdown "$report" || drifts=$?
attend env CHARTER_PLAN='' CHARTER_ONLY='expired deferred' bash "$here/apply.sh" || applied=$?
# An end that was agreed on is no surprise: what is told is what is left.
if ((drifts)); then
    drifts=0
    look markdown "$report" || drifts=$?
fi
if [[ ${CHARTER_JUNIT:-} == true ]]; then look junit "$CHARTER_HOME/out/drift.xml" || drifts=$?; fi

show "$report"
output report "$report"
if ((drifts)); then output drift true; else output drift false; fi
((applied == 0)) || exit "$applied"
if [[ ${CHARTER_FAIL_ON_DRIFT:-} == true ]]; then exit "$drifts"; fi
