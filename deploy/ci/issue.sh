#!/usr/bin/env bash
# Keeps one issue that says what differs: opens it, writes it anew, closes it when nothing does.
#
# CHARTER_HOME       where the report is
# CHARTER_PATH       the files; each path has an issue of its own
# CHARTER_DRIFT      true or false; empty if nobody knows, and then nothing is done
# CHARTER_BOT        who writes; only issues of this author are touched
# GITHUB_REPOSITORY  owner/name
# GH_TOKEN           may write issues
set -euo pipefail
# shellcheck source=deploy/ci/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

need CHARTER_HOME CHARTER_PATH
report=$CHARTER_HOME/out/report.md
if [[ ! -s $report || -z ${CHARTER_DRIFT:-} ]]; then exit 0; fi
need GH_TOKEN
[[ ${GITHUB_REPOSITORY:-} =~ ^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$ ]] || fail 3 "GITHUB_REPOSITORY is not owner/name"

wanted=$(marks "$report")
body=$CHARTER_HOME/out/issue.md
marked "$report" >"$body"
issues=$(github --paginate "repos/$GITHUB_REPOSITORY/issues?state=open&per_page=100" --jq \
    '.[] | select(.pull_request == null) | [.number, .user.login, ((.body // "") | split("\n")[0:2] | map(rtrimstr("\r")) | join(" "))] | @tsv') ||
    fail 1 "the issues cannot be listed: has the job the permission issues: write, and is gh installed?"
mapfile -t found < <(ours "$wanted" <<<"$issues" | sort -n)

case $CHARTER_DRIFT in
true)
    if ((${#found[@]})); then
        github --method PATCH "repos/$GITHUB_REPOSITORY/issues/${found[0]}" --field body=@"$body" --silent ||
            fail 1 "the issue was not written"
    else
        github --method POST "repos/$GITHUB_REPOSITORY/issues" --raw-field title="The organization differs from its files" \
            --field body=@"$body" --silent || fail 1 "the issue was not opened"
    fi
    ;;
false)
    for number in "${found[@]}"; do
        github --method PATCH "repos/$GITHUB_REPOSITORY/issues/$number" --raw-field state=closed --field body=@"$body" \
            --silent || fail 1 "the issue was not closed"
    done
    ;;
*) fail 3 "CHARTER_DRIFT is neither true nor false" ;;
esac
