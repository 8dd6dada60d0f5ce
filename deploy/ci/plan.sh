#!/usr/bin/env bash
# What apply would do to the organization as it is now.
#
# CHARTER_HOME        where install.sh and fetch.sh have been
# CHARTER_PATH        the files
# CHARTER_BRANCH      the branch that is applied
# CHARTER_HEAD        set for a pull request: its files, held against the branch; such a plan is not saved
# CHARTER_BASE_REV    else: the commit whose rules hold too; the parent of the commit unless it says so
# CHARTER_ALLOW       guards that may be passed, as removals.members=40, with spaces between several
# CHARTER_REDACT_KEY  if set, pseudonyms stand for names
set -euo pipefail
# shellcheck source=deploy/ci/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

need CHARTER_HOME CHARTER_PATH CHARTER_BRANCH
cd -- "$CHARTER_HOME/repository"
report=$CHARTER_HOME/out/report.md saved=$CHARTER_HOME/out/plan.json
rm -f -- "$saved"

options=(--format=markdown --detailed-exitcode)
if [[ -n ${CHARTER_HEAD:-} ]]; then
    base=refs/remotes/origin/$CHARTER_BRANCH
    head=$(git rev-parse --verify --quiet --end-of-options 'refs/charter/head^{commit}') || fail 1 "there is no refs/charter/head"
    options+=(--rev="$head" --base-rev="$base")
else
    head=$(git rev-parse --verify --quiet HEAD)
    base=$(base_revision)
    options+=(--out="$saved")
    [[ -z $base ]] || options+=(--base-rev="$base")
fi
if [[ -n ${CHARTER_REDACT_KEY+set} ]]; then options+=(--redact); fi
read -r -a allowed <<<"${CHARTER_ALLOW:-}"
for guard in "${allowed[@]}"; do options+=(--allow="$guard"); done

code=0
live plan "${options[@]}" -- "$CHARTER_PATH" >"$report" || code=$?
if [[ -s $report ]]; then
    # shellcheck disable=SC2016 # backticks of Markdown
    printf '\nCommit `%s`.\n' "$head" >>"$report"
    show "$report"
    output report "$report"
fi
case $code in
0) output changes false ;;
2) output changes true ;;
*) exit "$code" ;;
esac
if [[ -z ${CHARTER_HEAD:-} ]]; then output plan "$saved"; fi
