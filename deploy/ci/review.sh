#!/usr/bin/env bash
# What a pull request changes, by its files alone: no credential, no network, nothing checked out, nothing run.
#
# CHARTER_HOME    where install.sh and fetch.sh have been
# CHARTER_PATH    the files
# CHARTER_BRANCH  the branch that the pull request is for: its rules hold as well
set -euo pipefail
# shellcheck source=deploy/ci/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

need CHARTER_HOME CHARTER_PATH CHARTER_BRANCH
cd -- "$CHARTER_HOME/repository"
report=$CHARTER_HOME/out/report.md
base=refs/remotes/origin/$CHARTER_BRANCH
head=$(repository rev-parse --verify --quiet --end-of-options 'refs/charter/head^{commit}') || fail 1 "there is no refs/charter/head"
if [[ ${GITHUB_ACTIONS:-} == true ]]; then format=github; fi

valid=0 allowed=0 compared=0
offline validate --rev="$head" --format="$format" -- "$CHARTER_PATH" || valid=$?
if ((valid == 0)); then
    offline policy --rev="$head" --base-rev="$base" --format="$format" -- "$CHARTER_PATH" || allowed=$?
    offline diff "$base...$head" --format="$format" -- "$CHARTER_PATH" || compared=$?
fi

# The same once more as one text; files that are wrong are shown in it too.
offline diff "$base...$head" --format=markdown -- "$CHARTER_PATH" >"$report" 2>/dev/null || compared=$?
if [[ ! -s $report ]]; then
    printf '<!-- charter:diff -->\n### charter diff: failed\n\nThe log of the check says why.\n' >"$report"
elif ((valid == 0)); then
    offline policy --rev="$head" --base-rev="$base" --format=markdown -- "$CHARTER_PATH" >"$report.policy" 2>/dev/null || :
    # GitHub takes 65,536 letters, and either text may have 60,000.
    if (($(cat -- "$report" "$report.policy" | LC_ALL=C.UTF-8 wc -m) < 65000)); then
        printf '\n' | cat -- "$report" - "$report.policy" >"$report.both"
        mv -- "$report.both" "$report"
    else
        printf '\nWhat the policy says is too long to stand here: see the summary of the check.\n' >>"$report"
    fi
    rm -f -- "$report.policy"
fi
# shellcheck disable=SC2016 # backticks of Markdown
printf '\nCommit `%s`, seen from the branch at `%s`.\n' "$head" "$(repository rev-parse --verify --end-of-options "$base^{commit}")" >>"$report"

output report "$report"
for code in "$valid" "$allowed" "$compared"; do
    ((code == 0)) || exit "$code"
done
