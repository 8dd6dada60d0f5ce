#!/usr/bin/env bash
# What apply would do to the organization as it is now.
#
# CHARTER_HOME            where install.sh and fetch.sh have been
# CHARTER_PATH            the files
# CHARTER_BRANCH          the branch that is applied
# CHARTER_HEAD            set for a pull request, as its number is: the merge that fetch.sh made; such a plan is not saved
# CHARTER_PULL_REQUEST    its number
# CHARTER_BASE_REV        else: the commit whose rules hold too; the parent of the commit unless it says so
# CHARTER_ALLOW           guards that may be passed, as removals.members=40; several with blanks or on lines
# CHARTER_ACK             a digest that apply will get
# CHARTER_MERGE_MESSAGES  reviewers: who writes the messages of merges; apply reads acknowledgements from them
# CHARTER_SETTLE          true: a plan with nothing to do is applied at once, so that the record of it moves, and one with
#                         something to do ends with 2
# CHARTER_REDACT_KEY      if set, pseudonyms stand for names
set -euo pipefail
# shellcheck source=deploy/ci/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

need CHARTER_HOME CHARTER_PATH CHARTER_BRANCH
cd -- "$CHARTER_HOME/repository"
# shellcheck source=deploy/ci/record.sh
source "$here/record.sh"
report=$CHARTER_HOME/out/report.$ending saved=$CHARTER_HOME/out/plan.json
rm -f -- "$saved"

options=(--format="$format" --detailed-exitcode)
request=false
if [[ -n ${CHARTER_HEAD:-}${CHARTER_PULL_REQUEST:-} ]]; then
    request=true
    base=refs/remotes/origin/$CHARTER_BRANCH
    commit=$(repository rev-parse --verify --quiet 'refs/charter/merge^{commit}') || fail 1 "fetch.sh has made no merge"
    head=$(repository rev-parse --verify --quiet 'refs/charter/head^{commit}')
    about="The head \`$head\` of the pull request, merged here with the branch at \`$(repository rev-parse "$base")\`."
else
    commit=$(job_commit)
    base=$(base_revision)
    about="Commit \`$commit\`."
    options+=(--out="$saved")
fi
options+=(--rev="$commit")
[[ -z $base ]] || options+=(--base-rev="$base")
record_read
options+=("${held[@]}")
if [[ -n ${CHARTER_REDACT_KEY+set} ]]; then options+=(--redact); fi
split "${CHARTER_ALLOW:-}"
for guard in "${words[@]}"; do options+=(--allow="$guard"); done

code=0
live plan "${options[@]}" -- "$CHARTER_PATH" >"$report" || code=$?
if [[ -s $report ]]; then
    printf '\n%s\n' "$about" >>"$report"
    show "$report"
    output report "$report"
fi
case $code in
0) output changes false ;;
2) output changes true ;;
*)
    rm -f -- "$saved"
    exit "$code"
    ;;
esac
if $request; then exit 0; fi

# What apply would refuse is said before anybody approves. Trailers only charter can judge, when it applies.
digest=$(grep -o -e '--ack [0-9a-f]\{64\}' "$report" | head -n 1 || :)
if [[ -n $digest && ${digest#--ack } != "${CHARTER_ACK:-}" && -z ${CHARTER_MERGE_MESSAGES:-} ]]; then
    rm -f -- "$saved"
    fail 4 "the plan has steps that nobody has acknowledged. If they are meant, start the pipeline by hand with ack: ${digest#--ack }"
fi
sum=$(sha256sum <"$saved")
output plan "$saved"
output plan-sha256 "${sum%% *}"
if [[ ${CHARTER_SETTLE:-} == true ]]; then
    if ((code == 0)); then attend env CHARTER_PLAN="$saved" CHARTER_PLAN_SHA256="${sum%% *}" bash "$here/apply.sh"; fi
    exit "$code"
fi
